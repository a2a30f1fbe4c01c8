//! Planted keys, tokens, private keys and URL credentials never reach a file of the data folder, nor the log lines.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::embedding::{embedded, with_model};
use crate::server::{Server, run};

/// Put together here, so that no scanner takes the test for a leak.
fn planted() -> Vec<String> {
    let long = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0";
    vec![
        format!("sk-{}{long}", "ant-api03-"),
        format!("sk-{}{long}", "proj-"),
        format!("gh{}_{}", "p", &long[..36]),
        format!("AK{}{}", "IA", "Q7R8S9T0U1V2W3X4"),
        format!("xox{}-123456789012-123456789012-{}", "b", &long[..24]),
        format!("sk-{}{}", &long[..20], "A1b2C3d4E5f6G7h8I9j0"),
        format!("github_{}_{}", "pat", &long[..40]),
        format!("glp{}-{}", "at", &long[..20]),
        format!("sk_{}_{}", "live", &long[..24]),
        format!("rk_{}_{}", "test", &long[..24]),
        format!("h{}_{}", "f", &long[..34]),
        format!("nvapi-{}", &long[..36]),
        format!("SG.{}.{}", &long[..22], &long[..40]),
        format!("AI{}{}", "zaSy", &long[..33]),
        format!("ey{}.ey{}.{}", "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "JzdWIiOiIxMjM0NTY3ODkwIn0", &long[..32]),
        "hunter2secretpw".to_owned(),
        format!("Zz{}", &long[4..36]),
        "correct7horse-battery".to_owned(),
        format!("MIIEpAIBAAKCAQEA{long}"),
    ]
}

fn texts() -> Vec<String> {
    planted()
        .into_iter()
        .map(|secret| match secret.as_str() {
            "hunter2secretpw" => format!("clone https://bot:{secret}@git.example/acme.git"),
            "correct7horse-battery" => format!("export DB_PASSWORD={secret}"),
            token if token.starts_with("Zz") => format!("curl -H 'X-Auth: Bearer {secret}'"),
            key if key.starts_with("MII") => {
                format!("-----BEGIN RSA {0}-----\n{key}\n-----END RSA {0}-----", "PRIVATE KEY")
            }
            _ => format!("the token is {secret} as you asked"),
        })
        .collect()
}

const MAPPING: &str = r#"
name = "notes"
source = "notebook"

[[event]]
type = "message.sent"
id = "{id}"
time = "{when}"
[event.data]
message_id = "{id}"
conversation_id = "c"
from = "a"
text = "{text}"
"#;

fn holders(folder: &Path, needle: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            holders(&path, needle, found);
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
}

#[tokio::test]
async fn planted_secrets_are_nowhere() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let server = with_model(Some(&folder), &["--log", "debug", "--flush-after", "200ms"]);
    let mut last = 0;
    for (n, text) in texts().iter().enumerate() {
        let events = json!([
            {"type": "knowledge.noted", "source": "t", "id": format!("k{n}"),
             "data": {"knowledge_id": format!("k{n}"), "text": format!("findme {text}"), "tags": [text]}},
            {"type": "interaction.recorded", "source": "t", "id": format!("i{n}"), "actor": "a",
             "data": {"interaction_id": format!("i{n}"), "kind": "llm", "input": text, "output": {"nested": [text]}}},
            {"type": "note.taken", "source": "t", "id": format!("n{n}"), "data": {"deep": {"er": text}}},
            {"type": "task.created", "source": "t", "id": format!("w{n}"), "data": {"task_id": [text]}},
        ]);
        let written = server.post("/v1/events", &events).await.expect(207);
        last = written.json["position"].as_u64().expect("a position");
        let noted = json!({"knowledge_id": format!("z{n}"), "text": text});
        server.post("/v1/knowledge", &noted).await.expect(201);
        let header = server.request(Method::POST, "/v1/events").header("idempotency-key", format!("k{n}"));
        Answer::of(header.json(&json!({"type": "note.taken", "data": {"t": text}}))).await.expect(201);
        server.post("/v1/sql", &json!({"sql": format!("SELECT '{}'", text.replace('\'', ""))})).await;
        // What is asked is not kept either.
        server.post("/v1/search", &json!({"query": text, "mode": "semantic"})).await;
        server.post("/v1/context", &json!({"query": text})).await;
    }
    let (import, rejects) = (import(temp.path(), &server.url), temp.path().join("rejects.jsonl"));
    assert!(import.contains("secrets taken out, by rule:") && import.contains("github_token"), "{import}");
    let kept = server.rows("SELECT count(*) AS n FROM knowledge WHERE text LIKE 'findme%'", last).await;
    assert_eq!(kept, json!([{"n": texts().len()}]), "the rest of the text is kept");
    let counted = server.get("/metrics").await.expect(200).text;
    assert!(counted.contains("partitura_redactions_total{rule="), "{counted}");
    let head = server.rows("SELECT max(head) AS n FROM system.projections", last).await[0]["n"].clone();
    embedded(&server, head.as_u64().expect("a position")).await;
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    let vectors = server.rows("SELECT chunks FROM system.search", last).await;
    assert!(vectors[0]["chunks"].as_u64() > Some(50), "texts were embedded: {vectors}");
    let (_, log) = server.terminate();
    let rejected = fs::read_to_string(rejects).expect("the rejects");
    assert_eq!(rejected.lines().count(), texts().len() * 2, "rows without a time, and rows that are no JSON");
    for secret in planted() {
        let mut found = Vec::new();
        holders(&folder, &secret, &mut found);
        assert!(!(import.contains(&secret) || rejected.contains(&secret)), "{}… was rejected aloud", &secret[..8]);
        assert!(found.is_empty(), "{}… is in {found:?}", &secret[..8]);
        assert!(!log.contains(&secret), "{}… is in the log lines", &secret[..8]);
    }
}

/// Imports the planted texts: as events, as rows whose time is wrong, and as rows that are cut off. Returns what
/// the program printed.
fn import(folder: &Path, url: &str) -> String {
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let mut rows = String::new();
    for (n, text) in texts().iter().enumerate() {
        let row = |id: String, when: &str| json!({"id": id, "when": when, "text": text}).to_string();
        let (good, wrong) = (row(format!("m{n}"), "2026-01-05T10:00:00Z"), row(format!("x{n}"), "yesterday"));
        rows += &format!("{good}\n{wrong}\n{}\n", &good[..good.len() - 1]);
    }
    fs::write(path("notes.jsonl"), rows).expect("a file");
    fs::write(path("notes.toml"), MAPPING).expect("a file");
    let (map, rejects, file) = (path("notes.toml"), path("rejects.jsonl"), path("notes.jsonl"));
    let output = run(&["import", "--url", url, "--map", &map, "--rejects", &rejects, &file]);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn what_is_kept_is_set_for_each_source() {
    let rules = "ticket=SECRET-\\d+\nbadge=B-[0-9]{4},x";
    let settings = ["--content", "redacted", "--content-of", "quiet=none, loud=full", "--redact-rules", rules];
    let server = Server::start_with(&settings);
    let call = |source: &str| {
        json!({"type": "interaction.recorded", "source": source, "id": source, "data": {"interaction_id": source,
               "kind": "llm", "input": "mail bob@example.org about SECRET-42 and B-1234,x", "tokens_in": 3}})
    };
    let written = server.post("/v1/events", &json!([call("quiet"), call("loud"), call("other")])).await.expect(201);
    assert_eq!(
        written.json["redacted"],
        json!({"badge": 3, "content": 1, "email": 1, "ticket": 3}),
        "{}",
        written.text
    );
    let rows = server.rows("SELECT source, data FROM events ORDER BY source", 3).await;
    let input = |n: usize| {
        let data: serde_json::Value = serde_json::from_str(rows[n]["data"].as_str().expect("data")).expect("JSON");
        data["input"].clone()
    };
    assert_eq!(input(0), "mail bob@example.org about [redacted:ticket] and [redacted:badge]");
    assert_eq!(input(1), "mail [redacted:email] about [redacted:ticket] and [redacted:badge]");
    assert!(input(2).is_null(), "{rows}");
    for (setting, says) in
        [("--content-of=quiet=nothing", "langfuse=none"), ("--redact-rules=x=(", "redact.rules[0].pattern")]
    {
        let unused = server.folder.with_file_name("unused");
        let refused = run(&["serve", "--data", unused.to_str().expect("text"), "--http", "127.0.0.1:0", setting]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(says), "{said}");
    }
}

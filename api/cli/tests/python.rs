//! The Python client in `clients/python`: its types, its examples, and every call against the real server.
//!
//! `scripts/setup.sh clients` installs what it needs; `scripts/env.sh` says where that is.

#[path = "door/answer.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod answer;
#[path = "door/process.rs"]
mod process;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use process::finished;
use serde_json::{Value, json};
use server::Server;

/// Longest wait for a follower.
const PATIENCE: Duration = Duration::from_secs(240);

fn client() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clients/python")
}

/// Python with the client's sources on its path, and nothing written into them.
fn python(arguments: &[&str]) -> Command {
    let python = std::env::var_os("PARTITURA_CLIENT_PYTHON")
        .expect("the client's needs are installed: scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"");
    let mut command = Command::new(python);
    command.arg("-B").args(arguments).current_dir(client());
    command.env("PYTHONPATH", client().join("src")).env_remove("PARTITURA_URL").env_remove("PARTITURA_KEY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs Python to its end, and asserts that it ended well.
#[track_caller]
fn well(mut command: Command) -> String {
    let output = finished(&mut command, "");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    said.into_owned()
}

fn story(name: &str, server: &Server, more: &[&str]) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python/stories.py");
    let arguments = [&[script.to_str().expect("text"), name, &server.url], more].concat();
    let said = well(python(&arguments));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{name}: {error}: {said}"))
}

#[test]
fn its_types_and_its_style_are_checked() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let cache = temp.path().to_str().expect("text");
    assert!(well(python(&["-m", "mypy", "--cache-dir", cache])).contains("no issues found"));
    well(python(&["-m", "ruff", "check", "--no-cache", "."]));
    well(python(&["-m", "ruff", "format", "--no-cache", "--check", "."]));
}

#[tokio::test]
async fn its_examples_run() {
    let server = Server::start();
    let expected: &[(&str, &[&str])] = &[
        ("quickstart.py", &["claude: 2 calls, 2000 tokens"]),
        ("memory.py", &["found: Deployments run on Tuesday at nine", "1 passages", "versions: 2"]),
        ("frames.py", &["arrow: int64", "polars: (3, 2)", "pandas: ['m-0', 'm-1', 'm-2']", "parquet: True"]),
        ("follow.py", &["note.taken note 0", "note.taken note 1", "note.taken note 2"]),
    ];
    let there: Vec<_> = client().join("examples").read_dir().expect("examples").flatten().collect();
    assert_eq!(there.len(), expected.len(), "every example is run: {there:?}");
    for (name, says) in expected {
        let mut command = python(&[&format!("examples/{name}")]);
        command.env("PARTITURA_URL", &server.url);
        let said = tokio::task::spawn_blocking(move || well(command)).await.expect("it runs");
        for line in *says {
            assert!(said.contains(line), "{name}: {said}");
        }
    }
}

/// Both clients make the same calls, one after the other, and find the same.
#[tokio::test]
async fn every_call_works_waiting_and_awaited() {
    for kind in ["sync", "async"] {
        let server = Server::start();
        let found = story(kind, &server, &[]);
        assert_eq!(found["batches"], json!([4500, 4500]), "{kind}: each event once: {found}");
        assert_eq!(found["again"], json!([0, true]), "{kind}: {found}");
        assert_eq!(found["interaction"], json!({"model": "m", "tokens_in": 7, "cost": "0.5"}), "{kind}: {found}");
        assert_eq!(found["task"], json!({"title": "T", "team": "core", "verdict": "accepted"}), "{kind}: {found}");
        assert_eq!(found["params"], json!([["a", 2], [3]]), "{kind}: {found}");
        assert_eq!(found["cut"], json!([5, true]), "{kind}: {found}");
        assert_eq!(found["whole"], json!([4501, 4501, 4501]), "{kind}: {found}");
        assert_eq!(found["past"], json!(1), "{kind}: {found}");
        assert_eq!(found["search"], json!(["knowledge", "the lock is red"]), "{kind}: {found}");
        assert_eq!(found["facets"], json!({"kind": {"knowledge": 1}}), "{kind}: {found}");
        assert_eq!(found["context"], json!(["the lock is red"]), "{kind}: {found}");
        assert_eq!(found["knowledge"], json!(["the lock is red", 2, "NotFound"]), "{kind}: {found}");
        assert_eq!(found["conversation"], json!(1), "{kind}: {found}");
        assert_eq!(found["tail"], json!([1, 2, 3]), "{kind}: {found}");
        assert!(found["limits"].as_u64() > Some(0), "{kind}: {found}");
        let stored =
            server.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM events WHERE source = 'batch'", 0).await;
        assert_eq!(stored[0], json!({"n": 4500, "ids": 4500}), "{kind}");
    }
}

#[tokio::test]
async fn refusals_are_exceptions_that_help() {
    let server = Server::start();
    let found = story("refusals", &server, &[]);
    let kinds = [
        ("unknown_table", "NotFound", "sql_unknown_table"),
        ("syntax", "Malformed", "sql_syntax"),
        ("invalid_event", "Invalid", "invalid"),
        ("conflict", "Conflict", "id_reused"),
        ("revision", "RevisionMismatch", "revision_mismatch"),
        ("nobody", "ConnectionFailed", "connection_failed"),
    ];
    for (case, kind, code) in kinds {
        assert_eq!((&found[case]["kind"], &found[case]["code"]), (&json!(kind), &json!(code)), "{case}: {found}");
    }
    assert_eq!(found["unknown_table"]["suggestions"][0], "tasks", "{found}");
    assert!(found["unknown_table"]["text"].as_str().is_some_and(|text| text.contains("did you mean tasks")), "{found}");
    assert!(
        found["invalid_event"]["issues"][0]["path"].as_str().is_some_and(|path| path.contains("tokens_in")),
        "{found}"
    );
    assert_eq!(found["partly"], json!([201, 422]), "{found}");
    server.post("/v1/keys", &json!({"scopes": ["admin"]})).await.expect(201);
    let found = story("keyless", &server, &[]);
    assert_eq!((&found["kind"], &found["code"]), (&json!("Unauthenticated"), &json!("key_needed")), "{found}");
}

/// The server is killed and started again while a client follows it: no event is missed, none is given twice.
#[tokio::test]
async fn a_tail_goes_on_after_a_restart() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let mut server = Server::start_in(&folder, &[]);
    let address = server.url.trim_start_matches("http://").to_owned();
    let note = |n: u32| json!({"type": "note.taken", "source": "t", "id": n.to_string(), "data": {"n": n}});
    server.post("/v1/events", &json!((1..=5).map(note).collect::<Vec<_>>())).await.expect(201);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python/stories.py");
    let following = python(&[script.to_str().expect("text"), "follow", &server.url, "12"]);
    let following = tokio::task::spawn_blocking(move || well(following));
    // It has begun when the server counts it.
    let until = Instant::now() + PATIENCE;
    while !server.get("/metrics").await.expect(200).text.contains("partitura_gate_running{gate=\"subscriptions\"} 1") {
        assert!(Instant::now() < until, "nobody follows");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.kill();
    drop(server);
    let server = Server::start_in(&folder, &["--http", &address]);
    server.post("/v1/events", &json!((6..=12).map(note).collect::<Vec<_>>())).await.expect(201);
    let said = following.await.expect("it ends");
    let seen: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(seen, json!((1..=12).collect::<Vec<_>>()));
}

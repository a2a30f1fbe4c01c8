//! The exporters that people use, from their registries: what they send is in the tables.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::Server;

/// Longest that a client may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/otlp").join(name)
}

pub fn installed(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.unwrap_or_else(|| {
        panic!("{variable} is not set: run scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"")
    })
}

/// Returns the folder of the JavaScript clients; `None` on a machine without npm, where only CI insists on them.
fn node_clients() -> Option<PathBuf> {
    let npm = || Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success());
    if std::env::var_os("CI").is_none() && !npm() {
        eprintln!("npm is missing: the JavaScript client is left out");
        return None;
    }
    Some(installed("PARTITURA_OTLP_NODE"))
}

/// Runs a client to its end.
pub fn run(command: &mut Command) -> Output {
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client starts");
    let started = Instant::now();
    while child.try_wait().expect("the client is ours").is_none() {
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the client does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("Failed") && !said.contains("rror"), "{said}");
    output
}

#[tokio::test]
async fn python_exports_protobuf_with_every_coding() {
    let python = installed("PARTITURA_OTLP_PYTHON");
    for coding in ["none", "gzip", "deflate"] {
        let server = Server::start();
        run(Command::new(&python).arg(here("exporter.py")).arg(&server.url).arg(coding));
        let sql = "SELECT kind, attributes ->> 'convention' AS by, agent_id, task_id, model, tokens_in AS i, tokens_out AS o, \
                   tokens_cache_read AS r, cost, input, tool_name, status, error FROM interactions ORDER BY started_at, kind";
        let rows = server.rows(sql, 7).await;
        let row = |kind: &str, by: &str| json!({"kind": kind, "by": by, "agent_id": "planner", "task_id": "py-1", "model": null, "i": null, "o": null, "r": null, "cost": null, "input": null, "tool_name": null, "status": "ok", "error": null});
        let with = |kind: &str, by: &str, more: serde_json::Value| {
            let mut row = row(kind, by);
            more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
            row
        };
        let expected = json!([
            row("agent", "gen_ai"),
            with("llm", "gen_ai", json!({"model": "gpt-4o", "i": 100, "o": 10, "r": 64, "input": "Plan it"})),
            with(
                "llm",
                "openinference",
                json!({"model": "gpt-4o-mini", "i": 30, "o": 3, "cost": "0.25", "input": "Do it"})
            ),
            with("llm", "traceloop", json!({"model": "gpt-3.5-turbo", "i": 7, "o": 2, "input": "Check it"})),
            with("llm", "langfuse", json!({"model": "claude-sonnet-4-5", "i": 5, "o": 1})),
            with("tool", "gen_ai", json!({"tool_name": "bash", "status": "error", "error": "exit 1"})),
        ]);
        let mut rows = rows;
        // Amounts have as many digits as the column.
        for row in rows.as_array_mut().expect("rows") {
            if let Some(cost) = row["cost"].as_str() {
                row["cost"] = json!(cost.trim_end_matches('0'));
            }
        }
        assert_eq!(rows, expected, "{coding}");
    }
}

#[tokio::test]
async fn javascript_exports_json() {
    let Some(folder) = node_clients() else { return };
    let server = Server::start();
    let temp = tempfile::TempDir::new().expect("a folder");
    // Modules are looked for beside the program.
    std::os::unix::fs::symlink(folder.join("node_modules"), temp.path().join("node_modules")).expect("links");
    let program = temp.path().join("exporter.mjs");
    std::fs::copy(here("exporter.mjs"), &program).expect("copies");
    run(Command::new("node").arg(program).arg(&server.url));
    let sql = "SELECT kind, agent_id, provider, model, tokens_in, tokens_out, input, output, ttft_ms FROM interactions";
    let expected = json!([{
        "kind": "llm", "agent_id": "js-agent", "provider": "openai", "model": "gpt-4o-mini", "tokens_in": 70,
        "tokens_out": 9, "input": "Help", "output": "Sure", "ttft_ms": 88.5,
    }]);
    assert_eq!(server.rows(sql, 1).await, expected);
}

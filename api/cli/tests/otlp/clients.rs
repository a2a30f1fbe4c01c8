//! The exporters that people use, from their registries: what they send is in the tables.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::channel;
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

/// Runs a client to its end; it may not complain.
pub fn run(command: &mut Command) -> Output {
    let output = run_through(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("rror"), "{said}");
    output
}

/// Runs a client to its end; it may say that it has to wait.
pub fn run_through(command: &mut Command) -> Output {
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
    assert!(output.status.success() && !said.contains("Failed"), "{said}");
    output
}

#[tokio::test]
async fn python_exports_over_http_with_every_coding() {
    for coding in ["none", "gzip", "deflate"] {
        let server = Server::start();
        run(&mut python("http", &server.url, coding));
        expect_exported(&server, coding).await;
    }
}

#[tokio::test]
async fn python_exports_over_grpc_with_every_coding() {
    for coding in ["none", "gzip", "deflate"] {
        let server = channel::server(&[]);
        run(&mut python("grpc", &server.listeners["otlp_grpc"], coding));
        expect_exported(&server, coding).await;
    }
}

#[tokio::test]
async fn python_exports_over_grpc_with_tls() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let made = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/flight/certificate.py");
    let folder = temp.path().join("tls");
    run(Command::new(installed("PARTITURA_FLIGHT_PYTHON")).arg("-B").arg(&made).arg(&folder).args(["-1", "30"]));
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let server = channel::server(&["--tls-cert", &text(&cert), "--tls-key", &text(&key)]);
    let url = &server.listeners["otlp_grpc"];
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    run(python("grpc", url, "gzip").env("OTEL_EXPORTER_OTLP_CERTIFICATE", &cert));
    expect_exported(&server, "TLS").await;
    // Plain text is not answered in plain text.
    let mut plain = TcpStream::connect(url.trim_start_matches("https://")).expect("it listens");
    plain.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("it reads");
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    // An alert of TLS, or nothing.
    assert!(said.first().is_none_or(|byte| *byte == 21), "{said:?}");
    let old = temp.path().join("old");
    run(Command::new(installed("PARTITURA_FLIGHT_PYTHON")).arg("-B").arg(&made).arg(&old).args(["-30", "-1"]));
    let (cert, key) = (text(&old.join("cert.pem")), text(&old.join("key.pem")));
    let expired = [&channel::GRPC[..], &["--tls-cert", &cert, "--tls-key", &key]].concat();
    let said = Server::try_start_in(&temp.path().join("data"), &expired).err().expect("it does not start");
    assert!(said.contains("expired at "), "{said}");
}

/// Makes the command that exports spans of four conventions.
pub fn python(protocol: &str, url: &str, coding: &str) -> Command {
    let mut command = Command::new(installed("PARTITURA_OTLP_PYTHON"));
    command.arg("-B").arg(here("exporter.py")).args([protocol, url, coding]);
    command
}

/// Asserts that the spans of that command are stored, each once.
pub async fn expect_exported(server: &Server, name: &str) {
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
    assert_eq!(rows, expected, "{name}");
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

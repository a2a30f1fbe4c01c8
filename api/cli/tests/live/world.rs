//! What these stories are made of: events, keys, and waiting for something to become true.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

/// Longer than any of these takes on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a task that is made.
pub fn task(id: &str) -> Value {
    json!({"type": "task.created", "source": "t", "id": format!("c{id}"), "subject": format!("task/{id}"),
        "data": {"task_id": id, "title": format!("Task {id}")}})
}

/// Appends events and returns the last position.
pub async fn append(server: &Server, events: &[Value]) -> u64 {
    let written = server.post("/v1/events", &json!(events)).await.expect(201);
    written.json["position"].as_u64().expect("a position")
}

/// Makes a key; `by` is the key of who makes it.
pub async fn key(server: &Server, by: Option<&str>, workspace: &str, scopes: &[&str], is_server: bool) -> Value {
    let body = json!({"workspace": workspace, "scopes": scopes, "server": is_server});
    let mut request = server.request(Method::POST, "/v1/keys").json(&body);
    if let Some(by) = by {
        request = request.bearer_auth(by);
    }
    Answer::of(request).await.expect(201).json
}

/// Returns the text of a key.
pub fn text(key: &Value) -> &str {
    key["key"].as_str().expect("the key's text")
}

/// Asks again until `true`.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not come true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for a line of the metrics.
pub async fn until_metric(server: &Server, line: &str) {
    until(line, async || server.get("/metrics").await.text.lines().any(|one| one == line)).await;
}

/// Starts a script with a client of this protocol in Python.
pub fn python(script: &str) -> Command {
    let mut command = Command::new(installed("PARTITURA_LIVE_PYTHON"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live").join(script));
    command
}

/// Starts a script with a client in Node.js; none where that is missing, which CI does not accept.
pub fn node(script: &str) -> Option<Command> {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    if !(runs("node") && runs("npm")) && std::env::var_os("CI").is_none() {
        eprintln!("node or npm is missing: the JavaScript client is left out");
        return None;
    }
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live").join(script));
    command.arg(installed("PARTITURA_LIVE_NODE"));
    Some(command)
}

fn installed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"")
    })
}

//! Runs the program of an SDK against a server with keys, and asks the server what it knows.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

/// Longest that a program may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes the first key of a server: from now on it asks for keys.
pub async fn key(server: &Server) -> String {
    let body = json!({"workspace": "team", "scopes": ["ingest", "read", "act", "admin"], "server": true});
    let made = server.post("/v1/keys", &body).await.expect(201);
    made.json["key"].as_str().expect("the key's text").to_owned()
}

/// Runs the program of an SDK whose Python the environment names; returns each line of JSON that it prints.
pub fn run(variable: &str, program: &str, arguments: &[&str]) -> Vec<Value> {
    let python = std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set: run scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"")
    });
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vendor");
    let mut command = Command::new(python);
    command.arg("-B").arg(folder.join(program)).args(arguments).stdin(Stdio::null());
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("Python starts");
    let started = Instant::now();
    while child.try_wait().expect("the program is ours").is_none() {
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{program} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its output");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("rror"), "{variable} {program}: {errors}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

/// Asks SQL with a key about everything that was written before.
pub async fn rows(server: &Server, key: &str, sql: &str) -> Value {
    let head = server.get("/readyz").await.expect(200).json["head"].clone();
    let body = json!({"sql": sql, "min_position": head, "wait_ms": 20_000});
    Answer::of(server.request(Method::POST, "/v1/sql").bearer_auth(key).json(&body)).await.expect(200).json
}

/// Writes names in place of ids, so that runs can be compared.
pub fn named(rows: &Value, ids: &Value) -> Value {
    let mut text = rows.to_string();
    for (name, id) in ids.as_object().expect("ids by name") {
        text = text.replace(id.as_str().expect("an id"), name);
    }
    serde_json::from_str(&text).expect("it is still JSON")
}

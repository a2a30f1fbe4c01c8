//! A small history, and what the stories do with a server over and over.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::server::{Server, run};

/// Days of the history.
pub const DAYS: [&str; 3] = ["2026-01-05", "2026-01-06", "2026-01-07"];

/// Calls numbered from `first`, spread over the days and over two agents, one of them with a name that needs care.
pub fn calls(first: usize, count: usize) -> Vec<Value> {
    let call = |n: usize| {
        let agent = ["claude", "gröss/2"][n % 2];
        json!({
            "type": "interaction.recorded", "source": "out", "id": format!("call-{n}"),
            "time": format!("{}T10:{:02}:00Z", DAYS[n % 3], n % 60),
            "data": {"interaction_id": format!("i-{n:05}"), "kind": "llm", "agent_id": agent, "model": "m", "tokens_in": n,
                "cost": "0.0125", "currency": "USD", "input": format!("call, \"{n}\"")},
        })
    };
    (first..first + count).map(call).collect()
}

/// A task of a team, at a time.
pub fn task(id: &str, team: &str, title: &str) -> Value {
    json!({"type": "task.created", "source": "out", "id": format!("task-{id}"), "time": "2026-01-05T09:00:00Z",
        "data": {"task_id": id, "title": title, "team": team}})
}

/// Appends, and waits until tables know it; returns the position.
pub async fn write(server: &Server, events: &[Value]) -> u64 {
    let written = server.post("/v1/events", &json!(events)).await.expect(201);
    let position = written.json["position"].as_u64().expect("a position");
    server.rows("SELECT 1 AS one", position).await;
    position
}

/// Runs the program, and asserts that it ended well.
#[track_caller]
pub fn well(arguments: &[&str]) -> Output {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    output
}

/// What the program said on stderr.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the program printed, line by line.
pub fn printed(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Every file below a folder with its bytes, by its path from there.
pub fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut std::collections::BTreeMap<String, Vec<u8>>) {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).expect("below").to_str().expect("text").to_owned();
                found.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    let mut found = std::collections::BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

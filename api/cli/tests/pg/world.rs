//! A server with the Postgres wire on a free port, and a few rows in it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

/// Starts a server.
pub fn server(arguments: &[&str]) -> Server {
    Server::start_with(&[&["--pg", "127.0.0.1:0"], arguments].concat())
}

/// Returns host and port of the door.
pub fn address(server: &Server) -> String {
    let uri = &server.listeners["pg"];
    let rest = uri.strip_prefix("postgres://").unwrap_or_else(|| panic!("{uri} is no address of Postgres"));
    rest.split('/').next().expect("an address").to_owned()
}

/// Appends four interactions, and waits until they are rows.
pub async fn filled(server: &Server) -> u64 {
    let one = |n: u64| {
        json!({
            "type": "interaction.recorded", "source": "pg", "id": n.to_string(),
            "time": format!("2026-01-0{n}T10:00:00Z"),
            "data": {
                "interaction_id": format!("i{n}"), "kind": "llm", "agent_id": "claude", "model": "opus",
                "tokens_in": n * 10, "latency_ms": n, "input": format!("quéstion '{n}'\n\"x\""),
            },
        })
    };
    let events: Vec<Value> = (1..=4).map(one).collect();
    let position = server.post("/v1/events", &json!(events)).await.expect(201).json["position"].as_u64();
    let position = position.expect("a position");
    server.rows("SELECT 1", position).await;
    position
}

/// Makes a key; `by` is the key of who makes it, none before the first one.
pub async fn key(server: &Server, by: Option<&str>, workspace: &str, scopes: &[&str], more: Value) -> String {
    let mut body = json!({"workspace": workspace, "scopes": scopes});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let mut request = server.request(Method::POST, "/v1/keys").json(&body);
    if let Some(by) = by {
        request = request.bearer_auth(by);
    }
    let made = Answer::of(request).await.expect(201);
    made.json["key"].as_str().expect("the key's text").to_owned()
}

//! A server with the Postgres wire on a free port, and a few rows in it.

use serde_json::{Value, json};

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

//! Tools that take a URL for a file: DuckDB, Polars, pandas, PyArrow.

use serde_json::{Value, json};

use crate::server::Server;
use crate::tool::story;
use crate::world::{calls, write};

/// Every tool, against a server with rows, with and without keys; each says rows, sum and types as it sees them.
#[tokio::test]
async fn every_tool_reads_a_table_by_its_url() {
    let server = Server::start();
    write(&server, &calls(0, 1_000)).await;
    let asked = json!({"url": server.url});
    let found = tokio::task::spawn_blocking(move || story("readers.py", "open", &asked)).await.expect("it runs");
    check(&found, 1_000);
    assert_eq!(found["duckdb_join"], json!([["claude", 500], ["gröss/2", 500]]), "{found}");
    assert_eq!(found["polars_after_append"], json!([1_000, 1_001]), "{found}");
}

#[tokio::test]
async fn every_tool_shows_its_key() {
    let server = Server::start();
    write(&server, &calls(0, 120)).await;
    let key = server.post("/v1/keys", &json!({"scopes": ["read", "ingest"]})).await.expect(201);
    let asked = json!({"url": server.url, "key": key.json["key"], "id": key.json["id"]});
    let found = tokio::task::spawn_blocking(move || story("readers.py", "keyed", &asked)).await.expect("it runs");
    check(&found, 120);
    assert!(found["without_key"].as_str().is_some_and(|text| text.contains("401")), "{found}");
}

fn check(found: &Value, rows: u64) {
    let tools = found["tools"].as_object().expect("tools");
    assert!(tools.len() >= 5, "{found}");
    for (tool, saw) in tools {
        let sum = rows * (rows - 1) / 2;
        assert_eq!((&saw["rows"], &saw["tokens"]), (&json!(rows), &json!(sum)), "{tool}: {found}");
    }
}

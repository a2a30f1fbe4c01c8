//! One call is one row and counts once, whoever tells of it, how often and in which order.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fixture::{self, Fixture};
use crate::request::export;
use crate::server::Server;

const SUMS: &str = "SELECT coalesce(sum(CASE WHEN kind = 'llm' THEN 1 ELSE 0 END), 0) AS calls, \
    coalesce(sum(tokens_in), 0) AS tokens_in, coalesce(sum(tokens_out), 0) AS tokens_out FROM interactions";
const ALL: [&str; 6] = [
    "SELECT * FROM interactions ORDER BY interaction_id",
    "SELECT * FROM tasks ORDER BY task_id",
    "SELECT * FROM attempts ORDER BY attempt_id",
    "SELECT * FROM agents ORDER BY agent_id",
    "SELECT * FROM artifacts ORDER BY artifact_id",
    "SELECT * FROM metrics ORDER BY metric_id",
];

async fn answers(server: &Server, position: u64) -> BTreeMap<&'static str, Value> {
    let mut found = BTreeMap::new();
    for sql in ALL {
        let mut rows = server.rows(sql, position).await;
        // When a row came is the one thing that may differ.
        rows.as_array_mut()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
            .for_each(|row| drop(row.remove("_pos")));
        found.insert(sql, rows);
    }
    found
}

/// Sends every item in a request of its own.
async fn one_by_one(fixture: &Fixture, server: &Server, is_reversed: bool) -> u64 {
    let mut items: Vec<(&str, Value)> = Vec::new();
    items.extend(fixture.spans().into_iter().map(|item| ("spans", item)));
    items.extend(fixture.logs().into_iter().map(|item| ("logs", item)));
    items.extend(fixture.metrics().into_iter().map(|item| ("metrics", item)));
    if is_reversed {
        items.reverse();
    }
    let mut position = 0;
    for (signal, item) in items {
        let (path, body) = fixture.request(signal, &[item]);
        position = export(server, path, &body).await;
    }
    position
}

#[tokio::test]
async fn usage_counts_once_however_it_is_told() {
    for fixture in fixture::all() {
        let expected = json!([{
            "calls": fixture.json["calls"], "tokens_in": fixture.json["tokens_in"], "tokens_out": fixture.json["tokens_out"],
        }]);
        let name = &fixture.name;
        // As whole requests, then again, then item by item, and in other batches.
        let together = Server::start();
        let position = fixture.send(&together).await;
        assert_eq!(together.rows(SUMS, position).await, expected, "{name}");
        let first = answers(&together, position).await;
        let again = fixture.send(&together).await;
        assert_eq!(again, position, "{name}: what is sent again is stored once");
        let single = one_by_one(&fixture, &together, false).await;
        assert_eq!(together.rows(SUMS, single).await, expected, "{name} sent again in other batches");
        for (sql, rows) in answers(&together, single).await {
            assert_eq!(rows.as_array().map(Vec::len), first[sql].as_array().map(Vec::len), "{name}: {sql}");
        }
        // Each item by itself, as a simple exporter sends them, and in the opposite order: the same rows.
        let (forwards, backwards) = (Server::start(), Server::start());
        let there = one_by_one(&fixture, &forwards, false).await;
        let back = one_by_one(&fixture, &backwards, true).await;
        assert_eq!(forwards.rows(SUMS, there).await, expected, "{name} one by one");
        assert_eq!(answers(&forwards, there).await, answers(&backwards, back).await, "{name} in any order");
    }
}

#[tokio::test]
async fn what_one_signal_leaves_out_another_tells() {
    let all = fixture::all();
    let claude = all.iter().find(|fixture| fixture.name == "claude_code").expect("a fixture");
    let sql =
        "SELECT tokens_in, cost, finish_reason, ttft_ms, output FROM interactions WHERE kind = 'llm' AND status = 'ok'";
    // Events alone, spans alone, both.
    for (signals, expected) in [
        (
            &["logs"][..],
            json!([{"tokens_in": 1000, "cost": "0.0131", "finish_reason": null, "ttft_ms": null, "output": "I commit it."}]),
        ),
        (
            &["spans"],
            json!([{"tokens_in": 1000, "cost": null, "finish_reason": "tool_use", "ttft_ms": 210.0, "output": null}]),
        ),
        (
            &["spans", "logs"],
            json!([{"tokens_in": 1000, "cost": "0.0131", "finish_reason": "tool_use", "ttft_ms": 210.0, "output": "I commit it."}]),
        ),
    ] {
        let server = Server::start();
        let mut position = 0;
        for signal in signals {
            let items = if *signal == "logs" { claude.logs() } else { claude.spans() };
            let (path, body) = claude.request(signal, &items);
            position = export(&server, path, &body).await;
        }
        let mut rows = server.rows(sql, position).await;
        for row in rows.as_array_mut().expect("rows") {
            if let Some(cost) = row["cost"].as_str() {
                row["cost"] = json!(cost.trim_end_matches('0'));
            }
        }
        assert_eq!(rows, expected, "{signals:?}");
    }
}

#[tokio::test]
async fn metrics_and_calls_are_apart() {
    let server = Server::start();
    let all = fixture::all();
    let claude = all.iter().find(|fixture| fixture.name == "claude_code").expect("a fixture");
    let position = claude.send(&server).await;
    let sql = "SELECT (SELECT sum(tokens_out) FROM interactions) AS of_calls, \
               (SELECT sum(value) FROM metrics WHERE name = 'claude_code.token.usage' AND labels ->> 'type' = 'output') AS of_metrics";
    assert_eq!(server.rows(sql, position).await, json!([{"of_calls": 25, "of_metrics": 25.0}]));
}

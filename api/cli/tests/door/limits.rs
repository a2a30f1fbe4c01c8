//! Limits on what runs at the same time: who comes too many is told when to come back, and nothing is done by halves.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::server::Server;

/// Never ends by itself.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 90000000000) a WHERE a.value % 7 = 3";

#[tokio::test]
async fn too_many_reads_are_turned_away() {
    let server = Server::start_with(&["--queries-max", "1", "--queries-waiting-max", "1"]);
    let endless = |id: &str| {
        let body = json!({"sql": ENDLESS, "query_id": id, "timeout_ms": 600_000});
        tokio::spawn(Answer::of(server.request(Method::POST, "/v1/sql").json(&body)))
    };
    let running = endless("first");
    until(&server, "partitura_gate_running{gate=\"reads\"} 1").await;
    let waiting = endless("second");
    until(&server, "partitura_gate_waiting{gate=\"reads\"} 1").await;
    for (path, body) in [("/v1/sql", json!({"sql": "SELECT 1"})), ("/v1/search", json!({"query": "x", "mode": "text"}))]
    {
        let refused = server.post(path, &body).await.expect_problem(429, "busy");
        assert_eq!(refused.header("retry-after"), "1");
    }
    server.post("/v1/events", &json!({"type": "note.taken", "data": {}})).await.expect(201);
    for (id, task) in [("first", running), ("second", waiting)] {
        until(&server, "partitura_gate_running{gate=\"reads\"} 1").await;
        cancel(&server, id).await;
        task.await.expect("it answers").expect_problem(410, "sql_cancelled");
    }
    until(&server, "partitura_gate_running{gate=\"reads\"} 0").await;
    server.post("/v1/sql", &json!({"sql": "SELECT 1"})).await.expect(200);
}

/// Waits until the metrics have a line.
async fn until(server: &Server, line: &str) {
    for _ in 0..1_500 {
        if server.get("/metrics").await.expect(200).text.lines().any(|one| one == line) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{line} never came");
}

/// Cancels a query that may not have begun.
async fn cancel(server: &Server, id: &str) {
    for _ in 0..1_500 {
        if Answer::of(server.request(Method::DELETE, &format!("/v1/sql/{id}"))).await.status == 204 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} never ran");
}

#[tokio::test]
async fn who_waits_for_a_position_keeps_nobody_out() {
    let server = Server::start_with(&["--queries-max", "1", "--queries-waiting-max", "1"]);
    let later = json!({"sql": "SELECT count(*) AS n FROM events", "min_position": 1, "wait_ms": 60_000});
    let search = json!({"query": "x", "mode": "text", "min_position": 1, "wait_ms": 60_000});
    let mut waiting = Vec::new();
    for (path, body) in [("/v1/sql", &later), ("/v1/sql", &later), ("/v1/search", &search), ("/v1/search", &search)] {
        waiting.push(tokio::spawn(Answer::of(server.request(Method::POST, path).json(body))));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.post("/v1/sql", &json!({"sql": "SELECT 1 AS one"})).await.expect(200);
    server.post("/v1/events", &json!({"type": "note.taken", "data": {}})).await.expect(201);
    for task in waiting {
        let answer = task.await.expect("it answers");
        assert!(matches!(answer.status, 200 | 429), "{}", answer.text);
    }
}

#[tokio::test]
async fn bodies_share_a_budget() {
    let server = Server::start_with(&["--body-memory-max", "256KiB"]);
    let event = |n: usize| json!({"type": "note.taken", "source": "s", "id": "1", "data": {"text": "x".repeat(n)}});
    let refused = server.post("/v1/events", &event(600 << 10)).await.expect_problem(503, "body_memory");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(server.get("/readyz").await.expect(200).json["head"], 0, "nothing was written");
    server.post("/v1/events", &event(100 << 10)).await.expect(201);
    until(&server, "partitura_body_memory_bytes 0").await;
}

#[tokio::test]
async fn event_streams_are_counted() {
    let server = Server::start_with(&["--subscriptions-max", "1"]);
    let first = server.request(Method::GET, "/v1/events/stream").send().await.expect("a stream");
    assert_eq!(first.status(), 200);
    let second = server.get("/v1/events/stream").await.expect_problem(429, "busy");
    assert_eq!(second.header("retry-after"), "1");
    drop(first);
    until(&server, "partitura_gate_running{gate=\"subscriptions\"} 0").await;
    let third = server.request(Method::GET, "/v1/events/stream").send().await.expect("a stream");
    assert_eq!(third.status(), 200);
}

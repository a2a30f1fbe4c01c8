//! Reading: positions, the past, formats, the tail.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

fn event(n: u64) -> Value {
    json!({"type": "task.created", "source": "t", "id": n.to_string(), "data": {"task_id": n.to_string(), "title": "T"}})
}

#[tokio::test]
async fn what_was_written_is_read_at_its_position() {
    let server = Server::start();
    for n in 1..=5 {
        let written = server.post("/v1/events", &event(n)).await.expect(201);
        let position = written.json["position"].as_u64().expect("a position");
        assert_eq!(server.rows("SELECT count(*) AS n FROM tasks", position).await, json!([{"n": n}]));
    }
    let past = server.post("/v1/sql?as_of=2", &json!({"sql": "SELECT count(*) AS n FROM tasks"})).await.expect(200);
    assert_eq!((past.json.clone(), past.header("x-partitura-position")), (json!([{"n": 2}]), "2"));
    let late = server.post("/v1/sql", &json!({"sql": "SELECT 1", "min_position": 99, "wait_ms": 50})).await;
    let late = late.expect_problem(504, "position_not_reached");
    assert_eq!(late.header("retry-after"), "1");
    server.post("/v1/sql", &json!({"sql": "SELECT 1", "as_of": "2199-01-01T00:00:00Z"})).await.expect(422);
    server.post("/v1/sql", &json!({"sql": "SELECT 1", "as_of": "2001-01-01T00:00:00Z"})).await.expect(404);
}

#[tokio::test]
async fn rows_come_in_every_format() {
    let server = Server::start();
    server.post("/v1/events", &event(1)).await.expect(201);
    let formats = [
        ("json", "application/json"),
        ("ndjson", "application/x-ndjson"),
        ("csv", "text/csv"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("parquet", "application/vnd.apache.parquet"),
        ("markdown", "text/markdown"),
        ("pretty", "text/plain"),
        ("typed", "application/vnd.partitura.sql.v1+json"),
    ];
    for (name, media) in formats {
        let path = format!("/v1/sql?format={name}&min_position=1");
        let named = server.post_bytes(&path, "text/plain", "SELECT task_id FROM tasks").await.expect(200);
        assert!(named.header("content-type").starts_with(media), "{name}: {}", named.header("content-type"));
        let accepted =
            server.request(Method::POST, "/v1/sql").header("accept", media).body("SELECT task_id FROM tasks");
        let accepted = Answer::of(accepted).await.expect(200);
        assert_eq!(accepted.header("content-type"), named.header("content-type"), "{name}");
        assert!(!named.text.is_empty(), "{name}");
    }
    let none = server.request(Method::POST, "/v1/sql").header("accept", "image/png").body("SELECT 1");
    Answer::of(none).await.expect_problem(406, "not_acceptable");
    for ending in ["parquet", "arrow", "csv", "ndjson"] {
        server.get(&format!("/v1/tables/tasks.{ending}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_question_has_other_names() {
    let server = Server::start();
    for path in ["/v1/sql", "/api/v3/query_sql"] {
        let named = json!({"q": "SELECT $n + 1 AS n", "parameters": {"n": 41}});
        assert_eq!(server.post(path, &named).await.expect(200).json, json!([{"n": 42}]), "{path}");
        let counted = json!({"sql": "SELECT $1 || $2 AS t", "params": ["a", "b"], "format": "csv"});
        assert_eq!(server.post(path, &counted).await.expect(200).text, "t\nab\n", "{path}");
    }
}

#[tokio::test]
async fn an_error_after_the_first_rows_breaks_the_stream() {
    let server = Server::start();
    let late = "SELECT 1000000 / (value - 90000) AS n FROM generate_series(1, 100000)";
    for format in ["json", "ndjson", "csv", "arrow", "typed"] {
        let asked = server.request(Method::POST, &format!("/v1/sql?format={format}")).body(late);
        let response = asked.send().await.expect("it begins");
        assert_eq!(response.status(), 200, "{format}");
        let read = response.bytes().await;
        assert!(read.is_err(), "{format}: half an answer looks whole: {} bytes", read.map_or(0, |bytes| bytes.len()));
    }
    let early =
        server.post("/v1/sql", &json!({"sql": "SELECT 1 / (value - 5) AS n FROM generate_series(1, 10)"})).await;
    early.expect_problem(422, "sql_invalid");
}

#[tokio::test]
async fn the_list_of_events_goes_on_where_it_ended() {
    let server = Server::start();
    let events: Vec<Value> = (1..=25).map(event).collect();
    server.post("/v1/events", &json!(events)).await.expect(201);
    let (mut seen, mut path) = (Vec::new(), "/v1/events?limit=10".to_owned());
    loop {
        let page = server.get(&path).await.expect(200).json;
        seen.extend(page["data"].as_array().into_iter().flatten().map(|event| event["position"].as_u64()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/events?limit=10&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=25).map(Some).collect::<Vec<_>>());
    let one = server.get("/v1/events?stream=task/7").await.expect(200).json;
    assert_eq!(one["data"][0]["stream_revision"], 1);
    assert_eq!(one["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_tail_resumes_after_the_last_event() {
    let server = Server::start();
    server.post("/v1/events", &json!([event(1), event(2), event(3)])).await.expect(201);
    let request = server.request(Method::GET, "/v1/events/stream").header("last-event-id", "1");
    let mut response = request.send().await.expect("the server answers");
    let mut text = String::new();
    while !text.contains("event: caught_up") {
        text += &String::from_utf8_lossy(&response.chunk().await.expect("the stream goes on").expect("a chunk"));
    }
    assert!(!text.contains("id: 1\n") && text.contains("id: 2\n") && text.contains("id: 3\n"), "{text}");
    server.post("/v1/events", &event(4)).await.expect(201);
    while !text.contains("id: 4\n") {
        text += &String::from_utf8_lossy(&response.chunk().await.expect("the stream goes on").expect("a chunk"));
    }
}

#[tokio::test]
async fn a_running_query_can_be_cancelled() {
    let server = Server::start();
    let events: Vec<Value> = (1..=1_500).map(event).collect();
    server.post("/v1/events", &json!(events)).await.expect(201);
    let slow = json!({
        "sql": "SELECT count(*) AS n FROM tasks a, tasks b, tasks c WHERE a.title || b.title || c.title LIKE '%x%'",
        "query_id": "slow", "min_position": 1_500, "wait_ms": 20_000, "timeout_ms": 600_000,
    });
    let request = server.request(Method::POST, "/v1/sql").json(&slow);
    let asked = tokio::spawn(Answer::of(request));
    while Answer::of(server.request(Method::DELETE, "/v1/sql/slow")).await.status != 204 {
        assert!(!asked.is_finished(), "it ended before it was cancelled");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let answer = asked.await.expect("the query answers");
    assert_eq!(answer.json["code"], "sql_cancelled", "{}", answer.text);
}

#[tokio::test]
async fn knowledge_has_a_life() {
    let server = Server::start();
    let note = json!({"knowledge_id": "k1", "text": "Staging is reset on Mondays.", "kind": "fact"});
    let noted = server.post("/v1/knowledge", &note).await.expect(201);
    let position = noted.json["position"].as_u64().expect("a position");
    let read = server.get(&format!("/v1/knowledge/K1?min_position={position}")).await.expect(200);
    assert_eq!((&read.json["knowledge_id"], &read.json["status"]), (&json!("k1"), &json!("current")));
    server.post("/v1/knowledge/k1/supersede", &json!({"by": "k2"})).await.expect(201);
    let gone = server.post("/v1/knowledge/k1/retract", &json!({"reason": "wrong day"})).await.expect(201);
    let position = gone.json["position"].as_u64().expect("a position");
    let history = server.get(&format!("/v1/knowledge/k1/history?min_position={position}")).await.expect(200);
    assert_eq!(history.json["data"].as_array().map(Vec::len), Some(3), "{}", history.text);
    server.get("/v1/knowledge/nobody").await.expect_problem(404, "unknown_id");
    server.post("/v1/knowledge/nobody/retract", &json!({})).await.expect_problem(404, "unknown_id");
    server.post("/v1/knowledge", &json!({"texd": "x"})).await.expect(422);
}

#[tokio::test]
async fn a_conversation_is_read_in_order() {
    let server = Server::start();
    let message = |id: &str, kind: &str, at: &str| {
        json!({"type": kind, "source": "t", "id": id, "time": at,
               "data": {"message_id": id, "conversation_id": "c1", "from": "ann", "text": id}})
    };
    let turns = json!([
        message("m2", "answer.given", "2026-01-02T00:00:00Z"),
        message("m1", "question.asked", "2026-01-01T00:00:00Z"),
    ]);
    server.post("/v1/events", &turns).await.expect(201);
    let thread = server.get("/v1/conversations/C1?min_position=2").await.expect(200).json;
    let ids: Vec<_> = thread["turns"].as_array().expect("turns").iter().map(|turn| turn["id"].clone()).collect();
    assert_eq!(json!(ids), json!(["m1", "m2"]));
}

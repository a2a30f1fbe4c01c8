//! Writing: content types, results item by item, retries, expectations.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

fn task(id: &str, number: &str) -> Value {
    json!({"type": "task.created", "source": "test", "id": id, "data": {"task_id": number, "title": "T"}})
}

#[tokio::test]
async fn every_item_has_its_own_result() {
    let server = Server::start();
    let first = server.post("/v1/events", &task("a", "1")).await.expect(201);
    assert_eq!(first.json["results"][0], json!({"id": "a", "status": 201, "position": 1, "stream_revision": 1}));
    assert_eq!(first.header("x-partitura-position"), "1");
    let again = server.post("/v1/events", &task("a", "1")).await.expect(200);
    assert_eq!(again.json["results"][0]["duplicate"], true);
    server.post("/v1/events", &task("a", "2")).await.expect_problem(409, "id_reused");
    let wrong = json!({"type": "task.created", "source": "test", "id": "c", "data": {"task_id": 7.5}});
    let mixed = server.post("/v1/events", &json!([task("a", "1"), task("b", "2"), wrong, task("a", "3")])).await;
    let statuses: Vec<_> =
        mixed.json["results"].as_array().expect("results").iter().map(|r| r["status"].clone()).collect();
    assert_eq!((mixed.status, json!(statuses)), (207, json!([200, 201, 422, 409])), "{}", mixed.text);
    assert_eq!(mixed.json["results"][2]["error"]["status"], 422);
    assert_eq!(server.rows("SELECT count(*) AS n FROM events", 2).await, json!([{"n": 2}]));
}

#[tokio::test]
async fn an_atomic_request_is_all_or_nothing() {
    let server = Server::start();
    let wrong = json!({"type": "task.created", "source": "test", "id": "c", "data": {}});
    let refused = server.post("/v1/events?atomic=true", &json!([task("a", "1"), wrong])).await.expect(422);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.json["results"][0]["error"]["code"], "not_applied");
    server.post("/v1/events?atomic=true", &json!([task("a", "1"), task("b", "2")])).await.expect(201);
    server.post("/v1/events?atomic=true", &json!([task("a", "1"), task("b", "2")])).await.expect(200);
    let conflict = server.post("/v1/events?atomic=true", &json!([task("d", "4"), task("a", "9")])).await;
    conflict.expect_problem(409, "id_reused");
    assert_eq!(server.rows("SELECT count(*) AS n FROM events", 2).await, json!([{"n": 2}]));
}

#[tokio::test]
async fn expectations_of_streams_hold() {
    let server = Server::start();
    let expecting = |header: &'static str, value: &'static str, body: Value| {
        Answer::of(server.request(Method::POST, "/v1/events").header(header, value).json(&body))
    };
    expecting("if-none-match", "*", task("a", "1")).await.expect(201);
    let taken = expecting("if-none-match", "*", task("b", "1")).await.expect_problem(412, "revision_mismatch");
    assert_eq!(taken.json["current_revision"], 1);
    let moved = expecting("if-match", "\"7\"", task("b", "1")).await.expect_problem(412, "revision_mismatch");
    assert_eq!(moved.json["current_revision"], 1);
    expecting("if-match", "\"1\"", task("b", "1")).await.expect(201);
    // A retried success is a success, though the stream has moved since.
    expecting("if-match", "\"1\"", task("b", "1")).await.expect(200);
    let checks = json!([{"stream": "task/1", "expected": "none"}, {"stream": "task/99", "expected": "exists"}]);
    let body = json!({"events": [task("z", "5")], "checks": checks});
    let failed = server.post("/v1/events", &body).await.expect_problem(412, "revision_mismatch");
    assert_eq!(failed.json["issues"].as_array().map(Vec::len), Some(2), "{}", failed.text);
}

#[tokio::test]
async fn a_stored_answer_survives_a_crash() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let wrong = json!({"type": "task.created", "source": "test", "id": "c", "data": {}});
    let body = json!([task("a", "1"), wrong]);
    let keyed = |server: &Server, body: &Value| {
        Answer::of(server.request(Method::POST, "/v1/events").header("idempotency-key", "k-1").json(body))
    };
    let mut server = Server::start_in(temp.path(), &[]);
    let first = keyed(&server, &body).await.expect(207);
    assert_eq!(first.header("idempotent-replayed"), "");
    server.kill();
    let server = Server::start_in(temp.path(), &[]);
    let again = keyed(&server, &body).await.expect(207);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json, first.json);
    keyed(&server, &json!([task("x", "9")])).await.expect_problem(409, "idempotency_key_reused");
    let secret = format!("gh{}_{}", "p", "a1B2".repeat(9));
    let request = server.request(Method::POST, "/v1/events").header("idempotency-key", &secret);
    let refused = Answer::of(request.json(&json!([task("y", "8")]))).await.expect_problem(422, "invalid");
    assert!(!refused.text.contains(&secret), "{}", refused.text);
}

#[tokio::test]
async fn every_content_type_is_read() {
    let server = Server::start();
    let cloud =
        |id: &str| json!({"specversion": "1.0", "type": "note.taken", "source": "c", "id": id, "data": {"a": 1}});
    let lines = format!("{}\n{}\n", task("l1", "1"), task("l2", "2"));
    let cases = [
        ("application/x-ndjson", lines),
        ("application/cloudevents+json", cloud("s").to_string()),
        ("application/cloudevents-batch+json", json!([cloud("b1"), cloud("b2")]).to_string()),
    ];
    for (content, body) in cases {
        server.post_bytes("/v1/events", content, body).await.expect(201);
    }
    let binary = server.request(Method::POST, "/v1/events").header("content-type", "application/json");
    let binary = binary.header("ce-specversion", "1.0").header("ce-type", "note.taken").header("ce-source", "c");
    Answer::of(binary.header("ce-id", "bin").body(r#"{"a":2}"#)).await.expect(201);
    // SQL answers in Arrow too, so it makes the stream that is sent.
    let sql = "SELECT 'note.taken' AS type, 'c' AS source, 'arrow-' || n AS id, '{\"a\":' || n || '}' AS data \
               FROM (VALUES ('1'), ('2'), ('1')) AS t(n)";
    let made = server.request(Method::POST, "/v1/sql").json(&json!({"sql": sql, "format": "arrow"})).send().await;
    let stream = made.expect("an answer").bytes().await.expect("a whole answer");
    let arrow = server.post_bytes("/v1/events", "application/vnd.apache.arrow.stream", stream.clone()).await;
    let results = arrow.expect(207).json["results"].clone();
    assert_eq!((&results[1]["position"], &results[2]["duplicate"]), (&json!(8), &json!(true)), "{results}");
    server.post_bytes("/v1/events", "application/vnd.apache.arrow.stream", stream).await.expect(200);
    let told = server.rows("SELECT id, data FROM events WHERE id LIKE 'arrow%' ORDER BY id", 8).await;
    assert_eq!(told, json!([{"id": "arrow-1", "data": "{\"a\":1}"}, {"id": "arrow-2", "data": "{\"a\":2}"}]));
}

#[tokio::test]
async fn unknown_fields_are_kept_and_told() {
    let server = Server::start();
    let event = json!({"type": "task.created", "source": "t", "data": {"task_id": "1", "title": "T", "prioritty": 3}});
    let taken = server.post("/v1/events", &event).await.expect(201);
    let warnings = taken.json["warnings"].as_array().cloned().unwrap_or_default();
    assert!(warnings.iter().any(|w| w["nearest"] == "priority"), "{}", taken.text);
    assert!(warnings.iter().any(|w| w["path"].as_str().is_some_and(|p| p.ends_with("id"))), "{}", taken.text);
    server.post("/v1/events?strict=true", &event).await.expect(422);
}

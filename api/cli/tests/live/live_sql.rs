//! Live queries: the first answer at once, another when it is another, silence otherwise.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;
use crate::sse::{Event, Sse};
use crate::world::{append, key, task, text, until_metric};

async fn ask(server: &Server, body: Value) -> Sse {
    Sse::open(server.request(Method::POST, "/v1/sql/live").json(&body)).await
}

fn started(id: &str) -> Value {
    json!({"type": "task.started", "source": "t", "id": format!("s{id}"), "data": {"task_id": id}})
}

async fn result(stream: &mut Sse) -> Event {
    loop {
        let event = stream.next().await.expect("the stream goes on");
        if event.name == "result" {
            return event;
        }
        assert_eq!(event.name, "heartbeat", "{event:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_answered_again_when_its_tables_move() {
    let server = Server::start();
    append(&server, &[task("1"), task("2")]).await;
    let sql = "SELECT status, count(*) AS n FROM tasks GROUP BY status ORDER BY status";
    let mut stream = ask(&server, json!({"sql": sql, "min_position": 2, "min_interval_ms": 100})).await;
    let first = stream.next().await.expect("an answer at once");
    assert_eq!((first.name.as_str(), first.id), ("result", Some(2)), "{first:?}");
    let rows = server.rows(sql, 2).await;
    assert_eq!((&first.data["rows"], &first.data["truncated"]), (&rows, &json!(false)), "as /v1/sql answers");
    let position = append(&server, &[started("1")]).await;
    let second = result(&mut stream).await;
    assert_eq!(second.data["position"], position);
    assert_eq!(second.data["rows"], json!([{"status": "in_progress", "n": 1}, {"status": "open", "n": 1}]));
    assert_eq!(second.data["rows"], server.rows(sql, position).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_no_answer_is_not_sent() {
    let server = Server::start();
    append(&server, &[task("1")]).await;
    // One reads a table that does not move; one reads a table that moves, and answers the same.
    let interval = json!(100);
    let mut still = ask(
        &server,
        json!({"sql": "SELECT count(*) AS n FROM knowledge", "min_position": 1,
        "min_interval_ms": interval, "heartbeat_ms": 200}),
    )
    .await;
    let mut same = ask(
        &server,
        json!({"sql": "SELECT count(*) > 0 AS some FROM tasks", "min_position": 1,
        "min_interval_ms": interval, "heartbeat_ms": 200}),
    )
    .await;
    let mut view = ask(
        &server,
        json!({"sql": "SELECT count(*) AS n FROM costs", "min_position": 1,
        "min_interval_ms": interval, "heartbeat_ms": 200}),
    )
    .await;
    for stream in [&mut still, &mut same, &mut view] {
        assert_eq!(stream.next().await.map(|event| event.name), Some("result".into()));
    }
    let asked = async || {
        let metrics = server.get("/metrics").await.text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("partitura_sql_seconds_count "));
        line.and_then(|n| n.parse::<u64>().ok()).expect("a number")
    };
    let before = asked().await;
    let mut position = 0;
    for n in 2..5 {
        position = append(&server, &[task(&n.to_string())]).await;
    }
    for stream in [&mut still, &mut same, &mut view] {
        loop {
            let event = stream.next().await.expect("the stream goes on");
            assert_eq!(event.name, "heartbeat", "no answer is another: {event:?}");
            if event.id == Some(position) {
                break;
            }
        }
    }
    assert!((1..=3).contains(&(asked().await - before)), "only the one whose table moved was asked again");
    // A view moves with the tables under it.
    let call = json!({"type": "interaction.recorded", "data": {"interaction_id": "i", "kind": "llm", "model": "m",
        "tokens_in": 5, "cost": "0.5", "currency": "USD"}});
    append(&server, &[call]).await;
    assert_eq!(result(&mut view).await.data["rows"], json!([{"n": 1}]));
    append(&server, &[json!({"type": "knowledge.noted", "data": {"knowledge_id": "k", "text": "x"}})]).await;
    assert_eq!(result(&mut still).await.data["rows"], json!([{"n": 1}]));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_before_the_stream() {
    let server = Server::start_with(&["--live-queries-max", "1"]);
    let cases = [
        (json!({"sql": "SELECT titel FROM tasks"}), 404, "", "title"),
        (json!({"sql": "DELETE FROM tasks"}), 0, "", ""),
        (json!({"sql": "SELECT 1", "min_interval_ms": 99}), 422, "invalid", "min_interval_ms"),
        (json!({"sql": "SELECT 1", "min_intervall": 99}), 422, "unknown_field", "min_interval_ms"),
        (json!({"sql": "SELECT 1", "timeout_ms": 0}), 422, "invalid", "timeout_ms"),
        (json!({"sql": "SELECT $x"}), 0, "", "x"),
        (json!({}), 422, "invalid", "sql"),
    ];
    for (body, status, code, part) in cases {
        let refused = server.post("/v1/sql/live", &body).await;
        assert!(
            (400..500).contains(&refused.status) && (status == 0 || refused.status == status),
            "{body}: {refused:?}"
        );
        assert!(code.is_empty() || refused.json["code"] == code, "{body}: {}", refused.text);
        assert!(refused.text.contains(part), "{body}: {}", refused.text);
    }
    let past = server.request(Method::POST, "/v1/sql/live?as_of=1").json(&json!({"sql": "SELECT 1"}));
    assert!(Answer::of(past).await.expect_problem(422, "invalid").text.contains("as_of"));
    let open = ask(&server, json!({"sql": "SELECT 1 AS one"})).await;
    server.post("/v1/sql/live", &json!({"sql": "SELECT 1"})).await.expect_problem(429, "busy");
    server.post("/v1/sql", &json!({"sql": "SELECT 1"})).await.expect(200);
    drop(open);
    until_metric(&server, "partitura_gate_running{gate=\"live_queries\"} 0").await;
    ask(&server, json!({"sql": "SELECT 1 AS one"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_told_and_it_goes_on() {
    let server = Server::start();
    append(&server, &[task("1")]).await;
    // It fails as soon as there are two.
    let sql = "SELECT count(*) AS n, 1 / (2 - count(*)) AS x FROM tasks";
    let mut stream = ask(&server, json!({"sql": sql, "min_position": 1, "min_interval_ms": 100})).await;
    assert_eq!(result(&mut stream).await.data["rows"][0]["n"], 1);
    append(&server, &[task("2")]).await;
    let failed = stream.until("failed").await.pop().expect("a failure");
    assert_eq!(failed.data["position"], 1, "the answer before was right there: {failed:?}");
    assert!(failed.data["detail"].as_str().is_some_and(|why| why.to_lowercase().contains("zero")), "{failed:?}");
    append(&server, &[task("3")]).await;
    let again = stream.until("result").await.pop().expect("an answer");
    assert_eq!(again.data["rows"], json!([{"n": 3, "x": -1}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_of_them_leave_room_for_others() {
    let server = Server::start_with(&["--queries-max", "2", "--live-queries-max", "40"]);
    append(&server, &[task("1")]).await;
    let mut streams = Vec::new();
    for _ in 0..40 {
        let sql = "SELECT count(*) AS n FROM tasks";
        streams.push(ask(&server, json!({"sql": sql, "min_position": 1, "min_interval_ms": 100})).await);
    }
    for n in 2..8 {
        let position = append(&server, &[task(&n.to_string())]).await;
        let rows = server.rows("SELECT count(*) AS n FROM tasks", position).await;
        assert_eq!(rows, json!([{"n": n}]), "others are answered between");
    }
    for stream in &mut streams {
        while result(stream).await.data["rows"] != json!([{"n": 7}]) {}
    }
}

#[tokio::test]
async fn it_sees_its_workspace_and_ends_with_its_key() {
    let server = Server::start();
    let root = key(&server, None, "root", &["admin"], true).await;
    let own = key(&server, Some(text(&root)), "alpha", &["read", "ingest"], false).await;
    let other = key(&server, Some(text(&root)), "beta", &["ingest"], false).await;
    let body = json!({"sql": "SELECT count(*) AS n FROM tasks", "min_interval_ms": 100, "heartbeat_ms": 100});
    let mut stream = Sse::open(server.request(Method::POST, "/v1/sql/live").bearer_auth(text(&own)).json(&body)).await;
    assert_eq!(result(&mut stream).await.data["rows"], json!([{"n": 0}]));
    for key in [&other, &own] {
        let event = server.request(Method::POST, "/v1/events").bearer_auth(text(key)).json(&task("1"));
        Answer::of(event).await.expect(201);
    }
    assert_eq!(result(&mut stream).await.data["rows"], json!([{"n": 1}]));
    let id = own["id"].as_str().expect("an id");
    let revoke = server.request(Method::DELETE, &format!("/v1/keys/{id}")).bearer_auth(text(&root));
    Answer::of(revoke).await.expect(200);
    let last = stream.until("error").await.pop().expect("an error");
    assert_eq!(last.data["code"], "invalid_key");
    assert_eq!(stream.next().await, None);
}

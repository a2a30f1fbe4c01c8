//! Server-sent events: from where, which, how it is known to be alive, and how it ends.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answer::Answer;
use crate::server::Server;
use crate::sse::{Event, Sse, positions};
use crate::world::{PATIENCE, append, key, task, text, until, until_metric};

async fn open(server: &Server, query: &str) -> Sse {
    Sse::open(server.request(Method::GET, &format!("/v1/events/stream{query}"))).await
}

#[tokio::test]
async fn it_begins_where_it_is_asked_to() {
    let server = Server::start();
    append(&server, &[task("a"), task("b"), task("c")]).await;
    let listed = server.get("/v1/events").await.expect(200).json["data"].clone();
    for (query, resumed, expected) in [
        ("", None, vec![1, 2, 3]),
        ("?after_position=0", None, vec![1, 2, 3]),
        ("?after_position=2", None, vec![3]),
        ("?after_position=3", None, vec![]),
        ("?after_position=now", None, vec![]),
        ("", Some("1"), vec![2, 3]),
        // What a browser resumes with is newer than the address that it opened.
        ("?after_position=0", Some("2"), vec![3]),
    ] {
        let mut request = server.request(Method::GET, &format!("/v1/events/stream{query}"));
        if let Some(id) = resumed {
            request = request.header("last-event-id", id);
        }
        let mut stream = Sse::open(request).await;
        let events = stream.until("caught_up").await;
        assert_eq!(positions(&events), expected, "{query} {resumed:?}");
        for event in &events[..events.len() - 1] {
            assert_eq!(event.data, listed[event.id.expect("an id") as usize - 1], "as lists show it");
        }
        let end = Event { name: "caught_up".into(), id: Some(3), data: json!({"position": 3}) };
        assert_eq!(events.last(), Some(&end), "{query} {resumed:?}");
    }
    let mut stream = open(&server, "?after_position=now").await;
    stream.until("caught_up").await;
    for n in 4..8 {
        append(&server, &[task(&n.to_string())]).await;
        assert_eq!(stream.next().await.and_then(|event| event.id), Some(n), "as it comes, and nothing between");
    }
}

#[tokio::test]
async fn it_sends_what_is_asked_for() {
    let server = Server::start();
    let with = |mut event: Value, more: Value| {
        more.as_object().into_iter().flatten().for_each(|(name, value)| event[name] = value.clone());
        event
    };
    let done = |id: &str, task: &str, agent: Value| {
        json!({"type": "task.completed", "source": "t", "id": id, "subject": format!("task/{task}"),
            "data": {"task_id": task, "agent_id": agent}})
    };
    let events = [
        task("1"),
        task("10"),
        done("3", "1", json!("Claude")),
        with(done("4", "10", json!(7)), json!({"actor": "ci"})),
        json!({"type": "note.taken", "source": "t", "id": "5", "subject": "note/1", "data": {"agent_id_of": "claude"}}),
        with(task("2"), json!({"actor": "ci"})),
    ];
    append(&server, &events).await;
    let cases: [(&str, &[u64]); 16] = [
        ("stream=task/1", &[1, 3]),
        ("stream=TASK/1", &[1, 3]),
        ("stream=task/1*", &[1, 2, 3, 4]),
        ("stream=task/*", &[1, 2, 3, 4, 6]),
        ("stream=*", &[1, 2, 3, 4, 5, 6]),
        ("type=task.completed", &[3, 4]),
        ("type=task.completed,note.taken", &[3, 4, 5]),
        ("type=task.*", &[1, 2, 3, 4, 6]),
        ("type=Task.completed", &[]),
        ("actor=ci", &[4, 6]),
        ("agent_id=claude", &[3]),
        ("agent_id=7", &[4]),
        ("actor=ci&type=task.created", &[6]),
        ("stream=note/*&type=task.*", &[]),
        ("stream=task/10&after_position=2", &[4]),
        ("actor=nobody", &[]),
    ];
    for (query, expected) in cases {
        let streamed = open(&server, &format!("?{query}")).await.until("caught_up").await;
        assert_eq!(positions(&streamed), expected, "{query}");
        let listed = server.get(&format!("/v1/events?{query}")).await.expect(200).json;
        let listed: Vec<_> =
            listed["data"].as_array().expect("events").iter().map(|event| &event["position"]).collect();
        assert_eq!(json!(listed), json!(expected), "a list has the same: {query}");
    }
    // The same filters hold for what comes.
    let mut rare = open(&server, "?type=note.*&after_position=now&heartbeat_ms=100").await;
    rare.until("caught_up").await;
    append(&server, &[task("3"), task("4")]).await;
    until("the heartbeat moves", async || rare.next().await.is_some_and(|event| event.id == Some(8))).await;
    append(&server, &[json!({"type": "note.taken", "source": "t", "id": "9", "data": {}})]).await;
    assert_eq!(positions(&rare.until("event").await), [9]);
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused() {
    let server = Server::start();
    append(&server, &[task("1")]).await;
    let cases = [
        ("after_position=2", "position_ahead", "after_position"),
        ("after_position=soon", "invalid", "after_position"),
        ("heartbeat_ms=99", "invalid", "heartbeat_ms"),
        ("heartbeat_ms=300001", "invalid", "heartbeat_ms"),
        ("type=task.*.x", "invalid", "type"),
        ("stream=", "invalid", "stream"),
        ("typ=x", "unknown_parameter", "typ"),
        ("actor=", "invalid", "actor"),
    ];
    for (query, code, field) in cases {
        let refused = server.get(&format!("/v1/events/stream?{query}")).await.expect_problem(422, code);
        assert_eq!(refused.json["issues"][0]["path"], field, "{query}: {}", refused.text);
    }
    let many = vec!["a.b"; 65].join(",");
    server.get(&format!("/v1/events/stream?type={many}")).await.expect_problem(422, "invalid");
    let ahead = server.request(Method::GET, "/v1/events/stream").header("last-event-id", "2");
    Answer::of(ahead).await.expect_problem(422, "position_ahead");
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams() {
    let server = Server::start();
    let root = key(&server, None, "root", &["admin", "read"], true).await;
    let reader = key(&server, Some(text(&root)), "root", &["read"], false).await;
    let request = server.request(Method::GET, "/v1/events/stream?heartbeat_ms=100").bearer_auth(text(&reader));
    let mut stream = Sse::open(request).await;
    stream.until("caught_up").await;
    let id = reader["id"].as_str().expect("an id");
    let revoke = server.request(Method::DELETE, &format!("/v1/keys/{id}")).bearer_auth(text(&root));
    Answer::of(revoke).await.expect(200);
    let last = stream.until("error").await.pop().expect("an error");
    assert_eq!((&last.data["code"], &last.data["status"]), (&json!("invalid_key"), &json!(401)), "{last:?}");
    assert!(last.data["position"].as_u64().is_some_and(|at| at >= 2), "where to resume: {last:?}");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_stop_says_where_to_resume() {
    let server = Server::start();
    append(&server, &[task("1"), task("2")]).await;
    let mut stream = open(&server, "").await;
    stream.until("caught_up").await;
    let stopped = tokio::task::spawn_blocking(|| server.terminate());
    let last = stream.until("error").await.pop().expect("an error");
    assert_eq!((&last.data["code"], &last.data["position"]), (&json!("shutting_down"), &json!(2)), "{last:?}");
    assert_eq!(stream.next().await, None);
    stopped.await.expect("it stops");
}

/// Ends of lines in a stream of a client that was never told to read it in events.
fn last_of(text: &str, prefix: &str) -> Option<String> {
    text.lines().rev().find_map(|line| line.strip_prefix(prefix)).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_is_left_and_told_where_to_resume() {
    let server = Server::start_with(&["--stall-timeout", "2s"]);
    let connect = async || {
        let mut socket =
            tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("it listens");
        socket.write_all(b"GET /v1/events/stream HTTP/1.0\r\nHost: localhost\r\n\r\n").await.expect("it reads");
        socket
    };
    let (mut reads_on, mut never_reads) = (connect().await, connect().await);
    let mut greeting = [0; 16];
    reads_on.read_exact(&mut greeting).await.expect("the head of the answer");
    never_reads.read_exact(&mut greeting).await.expect("the head of the answer");
    until_metric(&server, "partitura_listeners 2").await;
    // More than two sockets hold.
    let large = |n: usize| json!({"type": "note.taken", "source": "t", "id": n.to_string(), "data": {"text": "word ".repeat(40_000)}});
    for batch in 0..5 {
        append(&server, &(0..30).map(|n| large(batch * 30 + n)).collect::<Vec<_>>()).await;
    }
    until_metric(&server, "partitura_live_ended_total 2").await;
    until_metric(&server, "partitura_gate_running{gate=\"subscriptions\"} 0").await;
    let mut told = Vec::new();
    tokio::time::timeout(PATIENCE, reads_on.read_to_end(&mut told)).await.expect("it ends").expect("in order");
    let told = String::from_utf8(told).expect("UTF-8");
    let (id, error) = (last_of(&told, "id: ").expect("an id"), last_of(&told, "data: ").expect("an error"));
    let error: Value = serde_json::from_str(&error).expect("a problem");
    assert_eq!((error["code"].as_str(), error["position"].to_string()), (Some("slow_client"), id.clone()), "{error}");
    let ids: Vec<u64> = told.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>(), "nothing is left out before");
    assert!(ids.len() < 150, "it was left before the end");
    let rest = open(&server, &format!("?after_position={id}")).await.until("caught_up").await;
    assert_eq!(positions(&rest), (ids.len() as u64 + 1..=150).collect::<Vec<_>>(), "and goes on there");
    // The one that never reads keeps no connection either.
    let mut rest = Vec::new();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let cut = tokio::time::timeout(PATIENCE, never_reads.read_to_end(&mut rest)).await.expect("it is cut");
    assert!(cut.is_err() || !String::from_utf8_lossy(&rest).contains("event: error"), "it was cut off");
}

//! WebSockets, through the clients of two languages.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answer::Answer;
use crate::server::Server;
use crate::world::{PATIENCE, append, key, node, python, task, text, until_metric};

/// A client that talks.
struct Talk {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Talk {
    fn begin(mut client: Command, plan: &Value) -> Self {
        let mut child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the client starts");
        let mut input = child.stdin.take().expect("stdin is piped");
        input.write_all(plan.to_string().as_bytes()).expect("the client reads its plan");
        drop(input);
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, lines }
    }

    /// Returns the next line; none when the client has ended.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("text");
        if line.is_empty() { None } else { Some(serde_json::from_str(&line).expect("JSON")) }
    }

    /// Returns lines up to one that `ends`, which comes last.
    fn until(&mut self, ends: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().unwrap_or_else(|| panic!("the client ended: {lines:?}"));
            let is_last = ends(&line);
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.line()).collect()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every client that can run here.
fn clients() -> Vec<Command> {
    [Some(python("ws_client.py")), node("ws_client.mjs")].into_iter().flatten().collect()
}

fn url(server: &Server, query: &str) -> String {
    format!("{}/v1/events/ws{query}", server.url.replace("http://", "ws://"))
}

fn positions(lines: &[Value]) -> Vec<u64> {
    let events = lines.iter().filter(|line| line["message"]["kind"] == "event");
    events.map(|line| line["message"]["position"].as_u64().expect("a position")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_what_the_event_stream_says() {
    let server = Server::start();
    append(&server, &[task("1"), task("2"), json!({"type": "note.taken", "source": "t", "id": "3", "data": {}})]).await;
    let listed = server.get("/v1/events").await.expect(200).json["data"].clone();
    let subscribe = |more: Value| {
        let mut message = json!({"kind": "subscribe"});
        more.as_object().into_iter().flatten().for_each(|(name, value)| message[name] = value.clone());
        message
    };
    let cases = [
        ("?after_position=0", None, vec![1, 2, 3]),
        ("?after_position=1&type=task.*", None, vec![2]),
        ("?stream=task/2", None, vec![2]),
        ("", Some(subscribe(json!({}))), vec![1, 2, 3]),
        ("", Some(subscribe(json!({"after_position": 2}))), vec![3]),
        ("", Some(subscribe(json!({"after_position": "0", "type": "task.created,x.y", "stream": "task/1"}))), vec![1]),
        ("", Some(subscribe(json!({"after_position": "now"}))), vec![]),
    ];
    for (query, first, expected) in cases {
        for client in clients() {
            let plan = json!({"url": url(&server, query), "send": first.iter().collect::<Vec<_>>()});
            let mut talk = Talk::begin(client, &plan);
            let said = talk.until(|line| line["message"]["kind"] == "caught_up");
            assert_eq!(positions(&said), expected, "{query} {first:?}: {said:?}");
            for line in said.iter().filter(|line| line["message"]["kind"] == "event") {
                let position = line["message"]["position"].as_u64().expect("a position") as usize;
                assert_eq!(line["message"]["event"], listed[position - 1], "as lists show it");
            }
            assert_eq!(said.last().map(|line| &line["message"]["position"]), Some(&json!(3)));
        }
    }
    // What comes afterwards, with pings between that the clients answer by themselves.
    for client in clients() {
        let mut talk = Talk::begin(client, &json!({"url": url(&server, "?after_position=now&heartbeat_ms=100")}));
        for _ in 0..4 {
            talk.until(|line| line["message"]["kind"] == "heartbeat");
        }
        let position = append(&server, &[json!({"type": "note.taken", "data": {}})]).await;
        let said = talk.until(|line| line["message"]["kind"] == "event");
        assert_eq!(positions(&said), [position]);
    }
    until_metric(&server, "partitura_gate_running{gate=\"subscriptions\"} 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_a_code_and_a_reason() {
    let server = Server::start();
    append(&server, &[task("1")]).await;
    let cases = [
        (json!("no JSON"), "invalid_json"),
        (json!({"kind": "subscrib"}), "unknown_value"),
        (json!({"kind": "subscribe", "after": 1}), "unknown_field"),
        (json!({"kind": "subscribe", "after_position": 2}), "position_ahead"),
        (json!({"kind": "subscribe", "type": "a*b"}), "invalid"),
        (json!({"kind": "subscribe", "heartbeat_ms": 1}), "invalid"),
    ];
    for (first, code) in cases {
        for client in clients() {
            let said = Talk::begin(client, &json!({"url": url(&server, ""), "send": [first]})).rest();
            let [_, error, closed] = said.as_slice() else { panic!("{first}: {said:?}") };
            assert_eq!((&error["message"]["kind"], &error["message"]["code"]), (&json!("error"), &json!(code)));
            assert_eq!((&closed["closed"], &closed["reason"]), (&json!(1008), &json!(code)), "{first}: {said:?}");
        }
    }
    for client in clients() {
        let plan = json!({"url": url(&server, "?after_position=0"), "send": [{"kind": "subscribe"}]});
        let said = Talk::begin(client, &plan).rest();
        let closed = said.last().expect("a line");
        let reason = closed["reason"].as_str().expect("a reason");
        assert!(closed["closed"] == 1008 && reason.starts_with("unexpected_message"), "{said:?}");
    }
    let mut talks: Vec<_> = clients()
        .into_iter()
        .map(|client| Talk::begin(client, &json!({"url": url(&server, "?after_position=0")})))
        .collect();
    for talk in &mut talks {
        talk.until(|line| line["message"]["kind"] == "caught_up");
    }
    let (took, _) = tokio::task::spawn_blocking(|| server.terminate()).await.expect("it stops");
    assert!(took.as_secs() < 4, "WebSockets do not hold a stop up: {took:?}");
    for mut talk in talks {
        let said = talk.rest();
        let [error, closed] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!((&error["message"]["code"], &error["message"]["position"]), (&json!("shutting_down"), &json!(1)));
        let expected = json!({"closed": 1001, "reason": "shutting_down; resume after 1"});
        assert_eq!(closed, &expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_open_one() {
    let server = Server::start();
    let plain = server.get("/v1/events/ws").await.expect_problem(400, "upgrade_needed");
    assert!(plain.json["hint"].as_str().is_some_and(|hint| hint.contains("/v1/events/stream")), "{}", plain.text);
    let foreign = json!({"url": url(&server, ""), "headers": {"Origin": "https://evil.example"}});
    let root = {
        for client in clients() {
            let said = Talk::begin(client, &foreign).rest();
            assert_eq!((&said[0]["refused"], &said[0]["body"]["code"]), (&json!(403), &json!("foreign_origin")));
        }
        key(&server, None, "root", &["admin", "read", "ingest"], true).await
    };
    let reader = key(&server, Some(text(&root)), "alpha", &["read"], false).await;
    let writer = key(&server, Some(text(&root)), "alpha", &["ingest"], false).await;
    let bearer = |key: &Value| json!({"Authorization": format!("Bearer {}", text(key))});
    for client in clients() {
        let said = Talk::begin(client, &json!({"url": url(&server, "")})).rest();
        assert_eq!((&said[0]["refused"], &said[0]["body"]["code"]), (&json!(401), &json!("key_needed")), "{said:?}");
    }
    for client in clients() {
        let said = Talk::begin(client, &json!({"url": url(&server, ""), "headers": bearer(&writer)})).rest();
        assert_eq!((&said[0]["refused"], &said[0]["body"]["code"]), (&json!(403), &json!("forbidden")), "{said:?}");
    }
    let event = server.request(Method::POST, "/v1/events").bearer_auth(text(&writer));
    Answer::of(event.json(&json!([task("alpha")]))).await.expect(201);
    let at = Answer::of(server.request(Method::GET, "/v1/events").bearer_auth(text(&reader))).await.expect(200).json;
    let own: Vec<_> = at["data"].as_array().expect("events").iter().map(|event| event["position"].clone()).collect();
    let offered = json!(["partitura.v1", format!("partitura.key.{}", text(&reader))]);
    for plan in [
        json!({"url": url(&server, "?after_position=0"), "headers": bearer(&reader)}),
        json!({"url": url(&server, "?after_position=0"), "subprotocols": offered}),
    ] {
        for client in clients() {
            let mut talk = Talk::begin(client, &plan);
            let said = talk.until(|line| line["message"]["kind"] == "caught_up");
            assert_eq!(json!(positions(&said)), json!(own), "its workspace only: {said:?}");
            let chosen = if plan["subprotocols"].is_null() { Value::Null } else { json!("partitura.v1") };
            assert_eq!(said[0], json!({"opened": chosen}), "the key is not told back");
        }
    }
    let mut talk = Talk::begin(
        python("ws_client.py"),
        &json!({"url": url(&server, "?heartbeat_ms=100"), "headers": bearer(&reader)}),
    );
    talk.until(|line| line["message"]["kind"] == "caught_up");
    let id = reader["id"].as_str().expect("an id");
    let revoke = server.request(Method::DELETE, &format!("/v1/keys/{id}")).bearer_auth(text(&root));
    Answer::of(revoke).await.expect(200);
    let said = talk.rest();
    let closed = said.last().expect("a line");
    assert!(closed["closed"] == 1008 && closed["reason"].as_str().is_some_and(|why| why.starts_with("invalid_key")));
}

/// The opening of RFC 6455, by hand.
const OPENING: &str = "GET /v1/events/ws?after_position=0&heartbeat_ms=100 HTTP/1.1\r\nHost: localhost\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_no_ping_or_reads_nothing_is_left() {
    let server = Server::start_with(&["--stall-timeout", "1s"]);
    append(&server, &[task("1")]).await;
    let connect = async || {
        let address = server.url.trim_start_matches("http://");
        let mut socket = tokio::net::TcpStream::connect(address).await.expect("it listens");
        socket.write_all(OPENING.as_bytes()).await.expect("it reads");
        socket
    };
    // Reads everything, and answers nothing.
    let mut mute = connect().await;
    let mut told = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, mute.read_to_end(&mut told)).await.expect("the server hangs up");
    ended.expect("in order");
    let told = String::from_utf8_lossy(&told);
    assert!(told.starts_with("HTTP/1.1 101 ") && told.contains("no_pong; resume after 1"), "{told}");
    drop(mute);
    // Reads nothing: it loses its place among the streams and among the connections.
    let mut deaf = connect().await;
    until_metric(&server, "partitura_listeners 1").await;
    let large = json!({"text": "word ".repeat(40_000)});
    for batch in 0..5 {
        let events: Vec<_> =
            (0..30).map(|n| json!({"type": "note.taken", "id": format!("{batch}-{n}"), "data": large})).collect();
        append(&server, &events).await;
    }
    until_metric(&server, "partitura_listeners 0").await;
    until_metric(&server, "partitura_gate_running{gate=\"subscriptions\"} 0").await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, deaf.read_to_end(&mut rest)).await.expect("the server hangs up");
    assert!(ended.is_err() || rest.len() < 150 * 200_000, "it was cut off before the end");
}

//! Connections: slow, idle and too many clients; methods, origins and conditional requests as HTTP has them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::server::Server;

/// Longer than any of these takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("it listens")
}

/// Reads until the server hangs up.
async fn to_the_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server hangs up");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends bytes and reads the answer to its end.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server).await;
    stream.write_all(bytes).await.expect("it reads");
    to_the_end(stream).await
}

#[tokio::test]
async fn slow_clients_are_left() {
    let server = Server::start_with(&["--idle-timeout", "700ms", "--stall-timeout", "700ms"]);
    // One that says nothing, one that never ends its head, one that never ends its body.
    let silent = connect(&server).await;
    assert_eq!(to_the_end(silent).await, "");
    assert_eq!(raw(&server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await, "");
    let head = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n[";
    let answer = raw(&server, head).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("body_stalled"), "{answer}");
    assert_eq!(server.get("/readyz").await.expect(200).json["head"], 0, "nothing of it was written");
}

#[tokio::test]
async fn readers_that_stop_lose_their_place() {
    let server = Server::start_with(&["--queries-max", "1", "--queries-waiting-max", "1", "--stall-timeout", "700ms"]);
    let sql = r#"{"sql":"SELECT value, repeat('x', 400) AS x FROM generate_series(1, 500000)","format":"ndjson","timeout_ms":120000}"#;
    let head = format!(
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{sql}",
        sql.len()
    );
    let mut lazy = connect(&server).await;
    lazy.write_all(head.as_bytes()).await.expect("it reads");
    let mut some = [0; 100];
    lazy.read_exact(&mut some).await.expect("the answer begins");
    // It keeps the only place and reads no more; another one gets its turn all the same.
    let small = json!({"sql": "SELECT 1 AS one"});
    let next = tokio::time::timeout(PATIENCE, server.post("/v1/sql", &small));
    assert_eq!(next.await.expect("it gets a turn").expect(200).json, json!([{"one": 1}]));
    let rest = to_the_end(lazy).await;
    assert!(!rest.ends_with("0\r\n\r\n"), "an answer that broke off does not look whole");
}

#[tokio::test]
async fn connections_are_limited_and_idle_ones_cost_nothing() {
    let server = Server::start_with(&["--connections-max", "40"]);
    let mut idle = Vec::new();
    for _ in 0..39 {
        idle.push(connect(&server).await);
    }
    let busy = async || raw(&server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(busy().await.starts_with("HTTP/1.1 200 "), "one place is left");
    idle.push(connect(&server).await);
    let mut turned_away = String::new();
    for _ in 0..200 {
        turned_away = busy().await;
        if turned_away.starts_with("HTTP/1.1 503 ") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(turned_away.contains("too_many_connections") && turned_away.contains("retry-after: 1"), "{turned_away}");
    drop(idle);
    for _ in 0..200 {
        if busy().await.starts_with("HTTP/1.1 200 ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("places are given back");
}

#[tokio::test]
async fn heads_are_limited() {
    let server = Server::start();
    let long = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(100 << 10));
    assert!(raw(&server, long.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    assert!(raw(&server, format!("GET /healthz HTTP/1.1\r\n{many}\r\n").as_bytes()).await.starts_with("HTTP/1.1 431 "));
    assert!(raw(&server, b"no http at all\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    let twice = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}";
    assert!(raw(&server, twice).await.starts_with("HTTP/1.1 400 "), "a length that contradicts itself");
    server.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn every_route_knows_its_methods() {
    let server = Server::start();
    let document = server.get("/openapi.json").await.expect(200).json;
    for (pattern, item) in document["paths"].as_object().expect("paths") {
        let path = pattern.replace("{id}", "x").replace("{name}", "tasks").replace("{type}", "task.created");
        let methods: Vec<String> = item.as_object().expect("methods").keys().map(|name| name.to_uppercase()).collect();
        let options = Answer::of(server.request(Method::OPTIONS, &path)).await.expect(204);
        let refused = Answer::of(server.request(Method::TRACE, &path)).await.expect_problem(405, "method_not_allowed");
        for allow in [options.header("allow"), refused.header("allow")] {
            let allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
            assert!(methods.iter().all(|name| allowed.contains(&name.as_str())), "{pattern}: {methods:?}, {allow}");
        }
        if methods.contains(&"GET".to_owned()) && pattern != "/v1/events/stream" {
            let got = server.get(&path).await;
            let head = Answer::of(server.request(Method::HEAD, &path)).await;
            assert_eq!((head.status, head.text.as_str()), (got.status, ""), "HEAD {pattern}");
            assert_eq!(head.header("content-type"), got.header("content-type"), "HEAD {pattern}");
        }
    }
    Answer::of(server.request(Method::OPTIONS, "/nowhere")).await.expect_problem(404, "unknown_route");
}

#[tokio::test]
async fn every_answer_says_where_and_how_long() {
    let server = Server::start();
    let written = server.post("/v1/events", &json!({"type": "note.taken", "source": "s", "id": "1", "data": {}})).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    for (method, path, position) in [
        (Method::POST, "/v1/sql", "1"),
        (Method::GET, "/v1/events", "1"),
        (Method::GET, "/nowhere", "1"),
        (Method::GET, "/v1/sql", "1"),
    ] {
        let sql = json!({"sql": "SELECT count(*) AS n FROM events", "min_position": 1, "wait_ms": 30_000});
        let request = server.request(method.clone(), path).header("traceparent", &parent);
        let request = if method == Method::POST { request.json(&sql) } else { request };
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("x-partitura-position"), position, "{path}");
        assert_eq!(answer.header("x-trace-id"), trace, "{path}");
        assert!(answer.header("server-timing").starts_with("total;dur="), "{path}");
        if answer.status >= 400 {
            assert_eq!(answer.json["trace_id"], trace, "{path}");
        }
    }
    assert_eq!(written.expect(201).header("x-partitura-position"), "1");
    let answer = server.post("/v1/sql", &json!({"sql": "SELECT * FROM events"})).await.expect(200);
    assert!(answer.header("server-timing").contains("scanned;desc="), "{}", answer.header("server-timing"));
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let server = Server::start();
    for path in ["/openapi.json", "/v1/schemas", "/v1/schemas/task.created"] {
        let first = server.get(path).await.expect(200);
        let tag = first.header("etag").to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let again = Answer::of(server.request(Method::GET, path).header("if-none-match", &known)).await.expect(304);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()), "{path}");
        }
        let other = server.request(Method::GET, path).header("if-none-match", "\"other\"");
        assert_eq!(Answer::of(other).await.expect(200).text, first.text);
    }
}

#[tokio::test]
async fn pages_of_this_machine_may_read() {
    let server = Server::start_with(&["--allowed-hosts", "board.example"]);
    for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "https://board.example"] {
        let asks = server.request(Method::OPTIONS, "/v1/sql").header("origin", origin);
        let asks = asks
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let asks = Answer::of(asks).await.expect(204);
        assert!(asks.header("access-control-allow-headers").contains("content-type"), "{origin}");
        assert!(asks.header("access-control-allow-methods").contains("POST"), "{origin}");
        let read = Answer::of(server.request(Method::POST, "/v1/sql").header("origin", origin).body("SELECT 1")).await;
        for answer in [asks, read.expect(200)] {
            assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (origin, "origin"));
        }
    }
    let foreign = server.request(Method::OPTIONS, "/v1/sql").header("origin", "https://evil.example");
    let foreign = Answer::of(foreign.header("access-control-request-method", "POST")).await;
    assert_eq!(foreign.expect_problem(403, "foreign_origin").header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let server = Server::start();
    let mut stream = connect(&server).await;
    let mut answered = 0;
    for n in 0..20 {
        let body = format!(r#"{{"type":"note.taken","source":"s","id":"{n}","data":{{}}}}"#);
        let head =
            format!("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut text = Vec::new();
        while !text.ends_with(b"}")
            || text.iter().filter(|byte| **byte == b'{').count() != text.iter().filter(|byte| **byte == b'}').count()
        {
            let mut some = [0; 4096];
            let read =
                tokio::time::timeout(PATIENCE, stream.read(&mut some)).await.expect("in time").expect("it answers");
            assert!(read > 0, "the connection is kept");
            text.extend_from_slice(&some[..read]);
        }
        answered += usize::from(text.starts_with(b"HTTP/1.1 201 "));
    }
    assert_eq!(answered, 20);
    let page = server.get("/v1/events").await.expect(200).json;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(20), "{}", Value::to_string(&page));
}

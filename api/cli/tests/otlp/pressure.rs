//! Too much at once: exporters are told when to come back, come back, and nothing is lost or doubled.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::channel::{self, Channel, TRACES};
use crate::clients::{expect_exported, python, run_through};
use crate::request::{JSON, PROTOBUF, TRACE, chat, protobuf, text, traces};
use crate::server::Server;

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// `RetryInfo` with a delay of one second.
const ONE_SECOND: [u8; 4] = [10, 2, 8, 1];

fn large(n: u64) -> Value {
    let mut span = chat(TRACE, &format!("{n:016x}"));
    span["attributes"][3] = text("gen_ai.prompt", &"x".repeat(300 << 10));
    span
}

/// Takes all memory of bodies, with a request whose body does not end. Returns when it is taken: one who asks before
/// would take of it, and this request would be the one that is refused.
async fn hold_memory(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("it listens");
    let head = "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("it reads");
    stream.write_all(&vec![b' '; 65_000]).await.expect("it reads");
    metrics_show(server, "partitura_body_memory_bytes 65536").await;
    stream
}

/// Waits until a line of the metrics is there, which tells that the server refused.
async fn metrics_show(server: &Server, line: &str) {
    let until = Instant::now() + PATIENCE;
    while !server.get("/metrics").await.expect(200).text.contains(line) {
        assert!(Instant::now() < until, "{line} does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_over_http_say_when_to_come_back() {
    let server = Server::start_with(&["--body-memory-max", "64KiB"]);
    let held = hold_memory(&server).await;
    let span = traces("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let refused = server.post("/v1/traces", &span).await;
    assert_eq!((refused.status, refused.header("retry-after"), refused.header("content-type")), (503, "1", JSON));
    let info = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}]);
    assert_eq!((&refused.json["code"], &refused.json["details"]), (&json!(14), &info), "{}", refused.text);
    let request = server.request(Method::POST, "/v1/traces").header("content-type", PROTOBUF);
    let refused = request.body(protobuf("app", &[chat(TRACE, "00f067aa0ba902b7")])).send().await.expect("an answer");
    assert_eq!(refused.status(), 503);
    let body = refused.bytes().await.expect("a body");
    assert!(body.ends_with(&ONE_SECOND) && body.windows(9).any(|at| at == b"RetryInfo"), "{body:?}");
    // Other doors read and answer meanwhile.
    server.get("/healthz").await.expect(200);
    drop(held);
    let until = Instant::now() + PATIENCE;
    while server.post("/v1/traces", &span).await.status != 200 {
        assert!(Instant::now() < until, "the memory is not given back");
    }
    assert_eq!(server.rows("SELECT count(*) AS n FROM interactions", 1).await, json!([{"n": 1}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_exports_are_told_to_wait() {
    let server = channel::server(&["--appends-max", "1"]);
    let channel = Channel::open(&server).await;
    let mut taken = 0;
    let refused = 'told: {
        for round in 0..200_u64 {
            let messages = (0..32).map(|n| protobuf("app", &[large(round * 32 + n + 1)]));
            let calls = messages.map(|message| {
                let channel = &channel;
                async move { channel.export(TRACES, &message).await }
            });
            let mut refused = None;
            for called in join_all(calls).await {
                match called.code {
                    0 => taken += 1,
                    _ => refused = Some(called),
                }
            }
            if let Some(refused) = refused {
                break 'told refused;
            }
        }
        panic!("every export was taken");
    };
    assert_eq!(refused.code, 8, "{refused:?}");
    assert!(refused.message.contains("that is the limit") && refused.message.contains("(busy)"), "{refused:?}");
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let binary = |name: &str| engine.decode(refused.header(name).trim_end_matches('=')).expect("base64");
    assert_eq!(binary("google.rpc.retryinfo-bin"), ONE_SECOND);
    let details = binary("grpc-status-details-bin");
    assert!(details.starts_with(&[8, 8]) && details.ends_with(&ONE_SECOND), "{details:?}");
    let kept = server.rows("SELECT count(*) AS n FROM events", taken).await;
    assert_eq!(kept, json!([{"n": taken}]), "what was acknowledged, no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exporters_come_back_and_double_nothing() {
    for protocol in ["http", "grpc"] {
        let server = channel::server(&["--body-memory-max", "64KiB"]);
        let held = hold_memory(&server).await;
        let url = if protocol == "grpc" { server.listeners["otlp_grpc"].clone() } else { server.url.clone() };
        let mut command = python(protocol, &url, "none");
        let exported = tokio::task::spawn_blocking(move || run_through(&mut command));
        let path = if protocol == "grpc" { TRACES } else { "/v1/traces" };
        metrics_show(&server, &format!("route=\"{path}\",status=\"503\"")).await;
        drop(held);
        exported.await.expect("the exporter ends well");
        expect_exported(&server, protocol).await;
    }
}

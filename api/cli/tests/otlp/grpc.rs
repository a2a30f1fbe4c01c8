//! OTLP over gRPC: three services, codings, keys, health, and what is refused.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::channel::{Channel, GRPC, HEALTH, LOGS, METRICS, TRACES, framed, server};
use crate::request::{Message, START, TRACE, chat, protobuf};
use crate::server::Server;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("writes");
    encoder.finish().expect("ends")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("writes");
    encoder.finish().expect("ends")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("encodes")
}

#[tokio::test]
async fn every_coding_is_the_same_record() {
    let server = server(&[]);
    let channel = Channel::open(&server).await;
    let message = protobuf("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let taken = channel.export(TRACES, &message).await.expect(0);
    assert_eq!((taken.header("x-partitura-position"), taken.body.as_slice()), ("1", [].as_slice()));
    for (coding, coded) in [("gzip", gzip(&message)), ("deflate", zlib(&message)), ("zstd", zstd(&message))] {
        let headers = [("grpc-encoding", coding), ("content-type", "application/grpc+proto")];
        let taken = channel.call(TRACES, &headers, framed(1, &coded)).await.expect(0);
        assert_eq!(taken.header("x-partitura-position"), "1", "{coding}: it is there already");
        let plain = channel.call(TRACES, &[("grpc-encoding", coding)], framed(0, &message)).await.expect(0);
        assert_eq!(plain.header("x-partitura-position"), "1", "{coding}: a message need not be compressed");
    }
    server.post_bytes("/v1/traces", crate::request::PROTOBUF, message).await.expect(200);
    let rows = server.rows("SELECT interaction_id, model, tokens_in FROM interactions", 1).await;
    let row = json!({"interaction_id": format!("{TRACE}-00f067aa0ba902b7"), "model": "gpt-4o", "tokens_in": 10});
    assert_eq!(rows, json!([row]));
    let counted = server.rows("SELECT count(*) AS n FROM events", 1).await;
    assert_eq!(counted, json!([{"n": 1}]), "over HTTP it is the same as well");
}

#[tokio::test]
async fn logs_and_metrics_have_services_of_their_own() {
    let server = server(&[]);
    let channel = Channel::open(&server).await;
    let log = Message::default().fixed(1, START).bytes(5, Message::default().bytes(1, "hello").0);
    let of_logs = Message::default().bytes(1, Message::default().bytes(2, Message::default().bytes(2, log.0).0).0).0;
    let metric = Message::default().bytes(1, "tokens");
    let of_metrics =
        Message::default().bytes(1, Message::default().bytes(2, Message::default().bytes(2, metric.0).0).0).0;
    channel.export(LOGS, &of_logs).await.expect(0);
    channel.export(METRICS, &of_metrics).await.expect(0);
    for path in [TRACES, LOGS, METRICS] {
        channel.export(path, &[]).await.expect(0);
    }
    let rows = server.rows("SELECT type FROM events ORDER BY position", 2).await;
    assert_eq!(rows, json!([{"type": "otlp.logs"}, {"type": "otlp.metrics"}]));
}

#[tokio::test]
async fn good_items_of_a_bad_batch_are_taken() {
    let server = server(&[]);
    let channel = Channel::open(&server).await;
    let message = protobuf("app", &[chat(TRACE, ""), chat(TRACE, "0000000000000004")]);
    let partial = channel.export(TRACES, &message).await.expect(0);
    // Field 1 holds the partial success: field 1 of it counts the refused spans, field 2 says why.
    assert_eq!((partial.body[0], &partial.body[2..4]), (10, [8, 1].as_slice()), "{partial:?}");
    assert!(String::from_utf8_lossy(&partial.body).contains("without a span id"), "{partial:?}");
    let rows = server.rows("SELECT interaction_id FROM interactions", 1).await;
    assert_eq!(rows, json!([{"interaction_id": format!("{TRACE}-0000000000000004")}]));
}

/// What is wrong, the call, its metadata, its frames, the code of the refusal, and words of it.
type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, Vec<u8>, i32, &'a str);

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_said() {
    let server = server(&[]);
    let channel = Channel::open(&server).await;
    let whole = protobuf("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let frame = framed(0, &whole);
    let bomb = gzip(&vec![b' '; 200 << 20]);
    let cut = gzip(&whole)[..40].to_vec();
    let encoding = |name| [("grpc-encoding", name)];
    let large = [[0].as_slice(), &(65_u32 << 20).to_be_bytes(), b"x"].concat();
    let cases: Vec<Case> = vec![
        ("truncated message", TRACES, vec![], framed(0, &whole[..whole.len() - 9]), 3, "middle"),
        ("no message", TRACES, vec![], vec![], 3, "is missing"),
        ("truncated frame", TRACES, vec![], frame[..frame.len() - 9].to_vec(), 3, "ends before the length"),
        ("two messages", TRACES, vec![], [frame.clone(), frame.clone()].concat(), 3, "one message"),
        ("unknown flag", TRACES, vec![], framed(7, &whole), 3, "flag"),
        ("coded without a name", TRACES, vec![], framed(1, &gzip(&whole)), 3, "grpc-encoding"),
        ("coded by another name", TRACES, encoding("snappy").into(), framed(1, b"x"), 12, "gzip, deflate, zstd"),
        ("no gzip", TRACES, encoding("gzip").into(), framed(1, b"plain"), 3, "cannot be inflated"),
        ("cut gzip", TRACES, encoding("gzip").into(), framed(1, &cut), 3, "cannot be inflated"),
        ("bomb", TRACES, encoding("gzip").into(), framed(1, &bomb), 8, "inflates to more than 250 times"),
        ("too large", TRACES, vec![], large, 8, "larger than 64 MiB"),
        ("no spans", TRACES, vec![], framed(0, b"not protobuf at all"), 3, "export request"),
        (
            "no such call",
            "/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export",
            vec![],
            vec![],
            12,
            "version 1",
        ),
        ("unknown service", HEALTH, vec![], framed(0, b"\x0a\x04mail"), 5, "no service mail"),
        ("no question", HEALTH, vec![], framed(0, b"\x0a\x09mail"), 3, "HealthCheckRequest"),
    ];
    for (name, path, headers, body, code, says) in cases {
        let refused = channel.call(path, &headers, body).await;
        assert_eq!(refused.code, code, "{name}: {refused:?}");
        assert!(refused.message.contains(says), "{name}: {}", refused.message);
        assert_ne!(refused.header("x-partitura-code"), "", "{name}");
        assert_eq!(refused.header("google.rpc.retryinfo-bin"), "", "{name}: sending it again does not help");
    }
    let other = channel.call(TRACES, &[("content-type", "application/json")], b"{}".to_vec()).await;
    assert_eq!((other.http, other.code), (415, -1), "{other:?}");
    assert_eq!(server.rows("SELECT count(*) AS n FROM events", 0).await, json!([{"n": 0}]));
    channel.export(TRACES, &whole).await.expect(0);
}

#[tokio::test]
async fn keys_are_asked_for_in_metadata() {
    let server = server(&[]);
    let make = async |by: Option<&str>, scopes: &[&str]| {
        let request = server.request(Method::POST, "/v1/keys");
        let request = request.json(&json!({"workspace": "w", "scopes": scopes, "server": by.is_none()}));
        let request = if let Some(by) = by { request.bearer_auth(by) } else { request };
        Answer::of(request).await.expect(201).json["key"].as_str().expect("a key").to_owned()
    };
    let root = make(None, &["ingest", "read", "act", "admin"]).await;
    let (reader, writer) = (make(Some(&root), &["read"]).await, make(Some(&root), &["ingest"]).await);
    let channel = Channel::open(&server).await;
    let frame = framed(0, &protobuf("app", &[chat(TRACE, "00f067aa0ba902b7")]));
    let basic = format!("Basic {}", base64(&format!("pk:{writer}")));
    let bearer = |key: &str| format!("Bearer {key}");
    for (headers, code, says) in [
        (vec![], 16, "asks for a key"),
        (vec![("authorization", bearer("pt_wrong"))], 16, "key is not valid"),
        (vec![("authorization", "Digest x".to_owned())], 16, "cannot be read"),
        (vec![("authorization", bearer(&reader))], 7, "needs the scope `ingest`"),
        (vec![("authorization", bearer(&writer)), ("x-partitura-workspace", "other".to_owned())], 7, "workspace"),
        (vec![("authorization", bearer(&writer))], 0, ""),
        (vec![("authorization", basic)], 0, ""),
        (vec![("x-api-key", writer.clone())], 0, ""),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let called = channel.call(TRACES, &headers, frame.clone()).await;
        assert_eq!(called.code, code, "{called:?}");
        assert!(called.message.contains(says), "{}", called.message);
    }
    let sql = json!({"sql": "SELECT count(*) AS n FROM interactions", "min_position": 1, "wait_ms": 20_000});
    let asked = Answer::of(server.request(Method::POST, "/v1/sql").bearer_auth(&reader).json(&sql)).await.expect(200);
    assert_eq!(asked.json, json!([{"n": 1}]));
    channel.call(HEALTH, &[], framed(0, &[])).await.expect(0);
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn health_is_told() {
    let server = server(&[]);
    let channel = Channel::open(&server).await;
    for name in ["", "opentelemetry.proto.collector.trace.v1.TraceService", "grpc.health.v1.Health"] {
        let question = if name.is_empty() { Vec::new() } else { Message::default().bytes(1, name).0 };
        let serving = channel.call(HEALTH, &[], framed(0, &question)).await.expect(0);
        assert_eq!(serving.body, [8, 1], "{name}");
    }
    let metrics = server.get("/metrics").await.expect(200).text;
    assert!(metrics.contains(&format!("method=\"GRPC\",route=\"{HEALTH}\",status=\"200\"")), "{metrics}");
}

#[tokio::test]
async fn silent_slow_and_surplus_clients_cost_nothing() {
    let server = server(&["--connections-max", "3", "--idle-timeout", "700ms", "--stall-timeout", "700ms"]);
    let address = server.listeners["otlp_grpc"].trim_start_matches("http://").to_owned();
    let message = protobuf("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(&address).await.expect("it listens"));
    }
    // One too many is hung up on; the others lose their places when they stay silent.
    let mut turned_away = TcpStream::connect(&address).await.expect("it listens");
    assert_eq!(to_the_end(&mut turned_away).await, 0);
    for stream in &mut silent {
        to_the_end(stream).await;
    }
    // One announces a message and never sends it; it also leaves no room for an answer, and answers no ping.
    let mut lazy = TcpStream::connect(&address).await.expect("it listens");
    lazy.write_all(&unfinished_call()).await.expect("it reads");
    Channel::open(&server).await.export(TRACES, &message).await.expect(0);
    let metrics = async || server.get("/metrics").await.expect(200).text;
    let refused = format!("route=\"{TRACES}\",status=\"400\"");
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while !metrics().await.contains(&refused) {
        assert!(std::time::Instant::now() < until, "the slow call is not refused");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    to_the_end(&mut lazy).await;
    assert_eq!(server.rows("SELECT count(*) AS n FROM interactions", 1).await, json!([{"n": 1}]));
    let (_, log) = server.terminate();
    assert!(!log.contains("were cut off"), "{log}");
}

/// Reads until the server hangs up; returns how many bytes it said.
async fn to_the_end(stream: &mut TcpStream) -> usize {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well.
    let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes)).await.expect("it hangs up");
    bytes.len()
}

/// A setting of HTTP/2: 4 is the room for what is answered.
const NO_ROOM: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// Writes the beginning of an HTTP/2 connection and of a call whose message does not come.
fn unfinished_call() -> Vec<u8> {
    let literal = |name: &str, value: &str| {
        [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
    };
    let headers = [
        literal(":method", "POST"),
        literal(":scheme", "http"),
        literal(":path", TRACES),
        literal(":authority", "localhost"),
        literal("content-type", "application/grpc"),
    ];
    let headers = headers.concat();
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let data = [[0].as_slice(), &1_000_u32.to_be_bytes(), b"ten bytes."].concat();
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &NO_ROOM),
        frame(1, 4, 1, &headers),
        frame(0, 0, 1, &data),
    ]
    .concat()
}

#[tokio::test]
async fn a_stop_takes_a_call_whole_or_not_at_all() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let server = Server::start_in(temp.path(), &GRPC);
    let channel = Channel::open(&server).await;
    let spans: Vec<_> = (1..=2_000).map(|n| chat(TRACE, &format!("{n:016x}"))).collect();
    let message = protobuf("app", &spans);
    let exported = tokio::spawn(async move { channel.export(TRACES, &message).await.code });
    let (_, log) = tokio::task::spawn_blocking(move || server.terminate()).await.expect("it ends");
    assert!(!log.contains("were cut off"), "{log}");
    // A call that found the door closed has no answer.
    let acknowledged = exported.await.is_ok_and(|code| code == 0);
    let again = Server::start_in(temp.path(), &[]);
    let kept = again.rows("SELECT count(*) AS n FROM events", 0).await[0]["n"].clone();
    assert!(kept == 2_000 || kept == 0 && !acknowledged, "{kept} of 2000, acknowledged: {acknowledged}");
}

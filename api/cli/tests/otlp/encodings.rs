//! One request in every form: the same records; and the forms of JSON that lose data elsewhere.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use crate::request::{JSON, PROTOBUF, START, TRACE, chat, coded, export, protobuf, text, traces};
use crate::server::Server;

const ROWS: &str = "SELECT interaction_id, kind, provider, model, input, tokens_in, tokens_out, latency_ms, status \
                    FROM interactions";

fn row() -> Value {
    json!([{
        "interaction_id": format!("{TRACE}-00f067aa0ba902b7"), "kind": "llm", "provider": "openai", "model": "gpt-4o",
        "input": "Why is it red?", "tokens_in": 10, "tokens_out": 4, "latency_ms": 1000.0, "status": "ok",
    }])
}

#[tokio::test]
async fn every_encoding_and_coding_is_one_record() {
    let server = Server::start();
    let spans = [chat(TRACE, "00f067aa0ba902b7")];
    let json = traces("app", &spans).to_string().into_bytes();
    let proto = protobuf("app", &spans);
    for (content, body) in [(PROTOBUF, &proto), (JSON, &json), ("application/json; charset=utf-8", &json)] {
        let plain = server.post_bytes("/v1/traces", content, body.clone()).await.expect(200);
        assert_eq!(plain.header("content-type"), content.split(';').next().expect("a type"));
        assert_eq!(plain.text, if content == PROTOBUF { "" } else { "{}" });
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(body).expect("writes");
        coded(&server, content, "gzip", gzip.finish().expect("ends")).await.expect(200);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(body).expect("writes");
        coded(&server, content, "deflate", zlib.finish().expect("ends")).await.expect(200);
        let zstd = zstd::encode_all(body.as_slice(), 3).expect("encodes");
        coded(&server, content, "zstd", zstd).await.expect(200);
    }
    assert_eq!(
        server.rows("SELECT count(*) AS n, min(type) AS t FROM events", 1).await,
        json!([{"n": 1, "t": "otlp.traces"}])
    );
    assert_eq!(server.rows(ROWS, 1).await, row());
    let langfuse = server.post_bytes("/api/public/otel/v1/traces", PROTOBUF, proto).await.expect(200);
    assert_eq!(langfuse.header("x-partitura-position"), "1");
}

/// Returns the one metric or span that is stored, as it is stored.
async fn stored(server: &Server, pointer: &str) -> Value {
    let events = server.rows("SELECT data FROM events ORDER BY position DESC LIMIT 1", 1).await;
    let data: Value = serde_json::from_str(events[0]["data"].as_str().expect("data")).expect("JSON");
    data.pointer(pointer).unwrap_or_else(|| panic!("{data} has {pointer}")).clone()
}

#[tokio::test]
async fn numbers_of_every_spelling_are_kept() {
    let server = Server::start();
    let points = json!([
        {"asInt": "7", "timeUnixNano": START.to_string()}, {"asInt": 8, "timeUnixNano": START},
        {"asInt": -9, "startTimeUnixNano": "1", "flags": 1}, {"asDouble": "NaN"}, {"asDouble": 1}, {"asDouble": null, "asInt": 3},
    ]);
    let sum =
        json!({"dataPoints": points, "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "isMonotonic": true});
    let metric = json!({"name": "m", "sum": sum, "unheardOf": {"a": [1]}});
    let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}], "unheardOf": 1});
    export(&server, "/v1/metrics", &body).await;
    let start = START.to_string();
    let kept = json!([
        {"timeUnixNano": start, "asInt": "7"}, {"timeUnixNano": start, "asInt": "8"},
        {"startTimeUnixNano": "1", "asInt": "-9", "flags": 1}, {"asDouble": "NaN"}, {"asDouble": 1.0}, {"asInt": "3"},
    ]);
    let found = stored(&server, "/otlp/resourceMetrics/0/scopeMetrics/0/metrics/0").await;
    let sum = json!({"dataPoints": kept, "aggregationTemporality": 1, "isMonotonic": true});
    assert_eq!(found, json!({"name": "m", "sum": sum}));
}

#[tokio::test]
async fn values_of_every_sort_are_kept() {
    let server = Server::start();
    let value = |value: Value| json!({"key": "k", "value": value});
    let given = json!([
        value(json!({})), value(json!({"stringValue": "", "doubleValue": null})), value(json!({"intValue": 5, "unheardOf": 1})),
        value(json!({"boolValue": false})), value(json!({"bytesValue": "-_8="})),
        value(json!({"arrayValue": {"values": [{"intValue": "1"}, {}, {"doubleValue": 0.5}]}})),
        value(json!({"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}})), {"key": "bare"},
    ]);
    let mut span = chat(&TRACE.to_uppercase(), "00F067AA0BA902B7");
    span["attributes"] = given;
    span["kind"] = json!("SPAN_KIND_CLIENT");
    span["status"] = json!({"code": "STATUS_CODE_ERROR", "message": null});
    span["parentSpanId"] = Value::Null;
    export(&server, "/v1/traces", &traces("app", &[span])).await;
    let kept = json!([
        value(json!({})), value(json!({"stringValue": ""})), value(json!({"intValue": "5"})),
        value(json!({"boolValue": false})), value(json!({"bytesValue": "+/8="})),
        value(json!({"arrayValue": {"values": [{"intValue": "1"}, {}, {"doubleValue": 0.5}]}})),
        value(json!({"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}})), {"key": "bare"},
    ]);
    let found = stored(&server, "/otlp/resourceSpans/0/scopeSpans/0/spans/0").await;
    assert_eq!(found["attributes"], kept);
    assert_eq!((&found["traceId"], &found["kind"], &found["status"]), (&json!(TRACE), &json!(3), &json!({"code": 2})));
    assert_eq!(found.get("parentSpanId"), None);
}

#[tokio::test]
async fn secrets_are_gone_before_the_log() {
    let server = Server::start();
    let secret = format!("gh{}_{}", "p", "a1B2".repeat(9));
    let mut span = chat(TRACE, "00f067aa0ba902b7");
    let attributes = span["attributes"].as_array_mut().expect("attributes");
    attributes.push(text("gen_ai.completion", &format!("use {secret} for it")));
    attributes.push(text("http.request.header.authorization", "hunter2hunter2"));
    let position = export(&server, "/v1/traces", &traces("app", &[span])).await;
    let told = server.rows("SELECT output FROM interactions", position).await;
    assert_eq!(told, json!([{"output": "use [redacted:github_token] for it"}]));
    let raw = server.rows("SELECT data FROM events", position).await.to_string();
    assert!(!raw.contains(&secret) && !raw.contains("hunter2"), "{raw}");
    let quiet = Server::start_with(&["--content-of", "app=none"]);
    let position = export(&quiet, "/v1/traces", &traces("app", &[chat(TRACE, "00f067aa0ba902b7")])).await;
    let told = quiet.rows("SELECT input, tokens_in, model FROM interactions", position).await;
    assert_eq!(told, json!([{"input": null, "tokens_in": 10, "model": "gpt-4o"}]));
    assert!(!quiet.rows("SELECT data FROM events", position).await.to_string().contains("red?"));
}

//! Bad exports: each with its status, in the encoding of its request; never half-written, never a dead server.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::channel::{self, Channel, TRACES};
use crate::request::{JSON, Message, PROTOBUF, START, TRACE, chat, coded, export, logs, protobuf, text, traces};
use crate::server::Server;

/// Reads code and message of a `google.rpc.Status` in protobuf.
fn status(bytes: &[u8]) -> (u8, String) {
    assert_eq!(bytes[0], 8, "the first field is the code");
    assert_eq!(bytes[2], 18, "the second field is the message");
    let at = if bytes[3] < 0x80 { 4 } else { 5 };
    (bytes[1], String::from_utf8_lossy(&bytes[at..]).into_owned())
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_said() {
    let server = Server::start();
    let spans = [chat(TRACE, "00f067aa0ba902b7")];
    let whole = protobuf("app", &spans);
    let log = Message::default().fixed(1, START).bytes(5, Message::default().bytes(1, "hello").0);
    let list = Message::default().bytes(2, log.0);
    let of_logs = Message::default().bytes(1, Message::default().bytes(2, list.0).0).0;
    let binary = [
        ("truncated", whole[..whole.len() - 9].to_vec(), "middle"),
        ("text", b"not protobuf at all".to_vec(), "export request"),
        ("endless number", vec![0xff; 40], "ten bytes"),
        ("logs", of_logs, "/v1/logs"),
    ];
    for (name, body, says) in binary {
        let request = server.request(Method::POST, "/v1/traces").header("content-type", PROTOBUF).body(body);
        let response = request.send().await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].to_str().ok()),
            (400, Some(PROTOBUF)),
            "{name}"
        );
        let (code, message) = status(&response.bytes().await.expect("a body"));
        assert!(code == 3 && message.contains(says), "{name}: {code} {message}");
    }
    let mut no_ids = spans[0].clone();
    no_ids["spanId"] = json!("0000000000000000");
    let texts = [
        ("truncated", traces("app", &spans).to_string()[..90].to_owned(), 400, "ends"),
        ("no object", "[1]".to_owned(), 400, "object"),
        ("no list", json!({"resourceSpans": {}}).to_string(), 400, "array"),
        ("logs", logs("app", &[json!({"body": {"stringValue": "x"}})]).to_string(), 400, "/v1/logs"),
        ("no span id", traces("app", &[no_ids]).to_string(), 400, "span id"),
        (
            "id in base64",
            traces("app", &[chat("S/kvNXezTaajzpKdDg5HNg==", "00f067aa0ba902b7")]).to_string(),
            400,
            "cannot be read",
        ),
        ("deep", format!("{{\"resourceSpans\":{}1{}}}", "[".repeat(200), "]".repeat(200)), 400, "deep"),
    ];
    for (name, body, code, says) in texts {
        let refused = server.post_bytes("/v1/traces", JSON, body).await.expect(code);
        assert_eq!(refused.header("content-type"), JSON, "{name}");
        assert!(refused.json["message"].as_str().is_some_and(|text| text.contains(says)), "{name}: {}", refused.text);
        assert_eq!(refused.json["code"], 3, "{name}");
    }
    let wrong = server.post_bytes("/v1/traces", "text/plain", "x").await.expect(415);
    assert!(wrong.json["message"].as_str().is_some_and(|text| text.contains("x-protobuf")), "{}", wrong.text);
    coded(&server, JSON, "br", b"x".to_vec()).await.expect(415);
    coded(&server, JSON, "gzip", b"x".to_vec()).await.expect(400);
    server.post_bytes("/v1/traces", PROTOBUF, vec![b' '; (64 << 20) + 1]).await.expect(413);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 200 << 20]).expect("writes");
    coded(&server, JSON, "gzip", bomb.finish().expect("ends")).await.expect(413);
    assert_eq!(server.rows("SELECT count(*) AS n FROM events", 0).await, json!([{"n": 0}]));
    for (path, body) in
        [("/v1/traces", json!({})), ("/v1/logs", json!({"resourceLogs": null})), ("/v1/metrics", json!({"x": 1}))]
    {
        server.post(path, &body).await.expect(200);
        server.post_bytes(path, PROTOBUF, Vec::new()).await.expect(200);
    }
}

#[tokio::test]
async fn good_items_of_a_bad_batch_are_taken() {
    let server = Server::start();
    let mut parent = chat(TRACE, "0000000000000002");
    parent["parentSpanId"] = json!("0001");
    let mut attribute = chat(TRACE, "0000000000000003");
    attribute["attributes"][0]["value"] = json!({"intValue": "no number"});
    let spans = [chat(TRACE, "0000000000000001"), chat(TRACE, ""), parent, attribute];
    let taken = server.post("/v1/traces", &traces("app", &spans)).await.expect(200);
    let partial = &taken.json["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "3", "{}", taken.text);
    let message = partial["errorMessage"].as_str().expect("a message");
    assert!(message.contains("without a span id") && message.contains("3 of 4"), "{message}");
    let position = taken.header("x-partitura-position").parse().expect("a position");
    let rows = server.rows("SELECT interaction_id FROM interactions", position).await;
    assert_eq!(rows, json!([{"interaction_id": format!("{TRACE}-0000000000000001")}]));
    let binary =
        server.post_bytes("/v1/traces", PROTOBUF, protobuf("app", &[chat(TRACE, ""), chat(TRACE, "0000000000000004")]));
    let partial = binary.await.expect(200);
    // Field 1 holds the partial success, whose field 1 is the number of refused spans.
    assert_eq!(
        (partial.text.as_bytes()[0], &partial.text.as_bytes()[2..4]),
        (10, [8, 1].as_slice()),
        "{:?}",
        partial.text
    );
}

#[tokio::test]
async fn odd_clocks_and_parents_end_nothing() {
    let server = Server::start();
    let timed = |span: &str, start: u64, end: u64| {
        let mut made = chat(TRACE, span);
        made["startTimeUnixNano"] = json!(start.to_string());
        made["endTimeUnixNano"] = json!(end.to_string());
        made
    };
    let mut first = timed("0000000000000001", 0, 0);
    first["parentSpanId"] = json!("0000000000000002");
    let mut second = timed("0000000000000002", 1, 2_000);
    second["parentSpanId"] = json!("0000000000000001");
    let mut own = timed("0000000000000003", 9_223_372_036_854_775_807, 9_223_372_036_854_775_807);
    own["parentSpanId"] = json!("0000000000000003");
    let backwards = timed("0000000000000004", START + 5_000_000, START);
    let far = timed("0000000000000005", u64::MAX, u64::MAX);
    let position = export(&server, "/v1/traces", &traces("app", &[first, second, own, backwards, far])).await;
    let sql = "SELECT interaction_id, extract(year FROM time) AS year, latency_ms FROM interactions ORDER BY 1";
    let rows = server.rows(sql, position).await;
    let told: Vec<_> =
        rows.as_array().expect("rows").iter().map(|row| (row["year"].clone(), row["latency_ms"].clone())).collect();
    // One without any clock is of the moment at which it came.
    assert!(told[0].0.as_u64() > Some(1970) && told[0].1.is_null(), "{rows}");
    let expected = [
        (json!(1970), json!(0.001_999)),
        (json!(2262), json!(0.0)),
        (json!(2026), Value::Null),
        (json!(2262), json!(0.0)),
    ];
    assert_eq!(told[1..], expected, "{rows}");
}

/// Spans that no exporter should send: cycles, clocks of other ages, a megabyte, ten thousand attributes, doubles.
fn hostile_spans() -> Vec<Value> {
    let made = |n: u64, start: u64, end: u64| {
        let mut span = chat(TRACE, &format!("{n:016x}"));
        span["startTimeUnixNano"] = json!(start.to_string());
        span["endTimeUnixNano"] = json!(end.to_string());
        span
    };
    let parented = |mut span: Value, parent: u64| {
        span["parentSpanId"] = json!(format!("{parent:016x}"));
        span
    };
    let mut long = made(5, START, START + 1);
    long["attributes"][3] = text("gen_ai.prompt", &"megabyte ".repeat(120_000));
    let mut wide = made(6, START, START + 1);
    wide["attributes"].as_array_mut().expect("attributes").extend((0..10_000).map(|n| text(&format!("a.{n}"), "v")));
    vec![
        parented(made(1, 1, 2_000), 2),
        parented(made(2, START, START + 5), 1),
        parented(made(3, 9_223_372_036_854_775_000, u64::MAX), 3),
        made(4, START + 5_000_000, START),
        long,
        wide,
        made(7, START, START + 1_000),
        made(7, START, START + 1_000),
    ]
}

#[tokio::test]
async fn hostile_spans_are_the_same_through_both_transports() {
    let sql = "SELECT * FROM interactions ORDER BY interaction_id";
    let mut told = Vec::new();
    for is_grpc in [false, true] {
        let server = channel::server(&[]);
        let spans = hostile_spans();
        if is_grpc {
            Channel::open(&server).await.export(TRACES, &protobuf("app", &spans)).await.expect(0);
        } else {
            export(&server, "/v1/traces", &traces("app", &spans)).await;
        }
        let head = server.get("/readyz").await.expect(200).json["head"].as_u64().expect("a position");
        let mut rows = server.rows(sql, head).await;
        for row in rows.as_array_mut().expect("rows") {
            row.as_object_mut().expect("a row").remove("_pos");
        }
        let years =
            server.rows("SELECT extract(year FROM time) AS year FROM interactions ORDER BY interaction_id", head);
        let years: Vec<_> = years.await.as_array().expect("rows").iter().map(|row| row["year"].clone()).collect();
        assert_eq!(json!(years), json!([1970, 2026, 2262, 2026, 2026, 2026, 2026]), "the doubled span is one row");
        let kept = server.rows("SELECT count(*) AS n FROM events WHERE data LIKE '%\"part\"%'", head).await;
        assert!(kept[0]["n"].as_u64() >= Some(2), "what is shortened is kept whole beside: {kept}");
        server.post("/v1/events", &json!({"type": "note.taken", "id": "1", "data": {}})).await.expect(201);
        told.push(rows);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn keys_are_asked_for() {
    let server = Server::start();
    let make = |by: Option<String>, scopes: Value| {
        let mut request = server
            .request(Method::POST, "/v1/keys")
            .json(&json!({"workspace": "w", "scopes": scopes, "server": by.is_none()}));
        if let Some(by) = by {
            request = request.bearer_auth(by);
        }
        async { Answer::of(request).await.expect(201).json["key"].as_str().expect("a key").to_owned() }
    };
    let root = make(None, json!(["ingest", "read", "act", "admin"])).await;
    let reader = make(Some(root.clone()), json!(["read"])).await;
    let writer = make(Some(root.clone()), json!(["ingest"])).await;
    let body = protobuf("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let send = |key: Option<&str>| {
        let request = server.request(Method::POST, "/v1/traces").header("content-type", PROTOBUF).body(body.clone());
        match key {
            None => request,
            Some(key) => request.header("x-api-key", key),
        }
    };
    for (key, code, grpc) in [(None, 401, 16), (Some(reader.as_str()), 403, 7)] {
        let refused = send(key).send().await.expect("an answer");
        assert_eq!(
            (refused.status().as_u16(), refused.headers()["content-type"].to_str().ok()),
            (code, Some(PROTOBUF))
        );
        assert_eq!(status(&refused.bytes().await.expect("a body")).0, grpc);
    }
    Answer::of(send(Some(&writer))).await.expect(200);
    let basic = server.request(Method::POST, "/api/public/otel/v1/traces").header("content-type", PROTOBUF);
    Answer::of(basic.basic_auth("pk", Some(&writer)).body(body.clone())).await.expect(200);
    let sql = json!({"sql": "SELECT count(*) AS n FROM interactions", "min_position": 1, "wait_ms": 20_000});
    let asked = Answer::of(server.request(Method::POST, "/v1/sql").bearer_auth(&reader).json(&sql)).await.expect(200);
    assert_eq!(asked.json, json!([{"n": 1}]));
}

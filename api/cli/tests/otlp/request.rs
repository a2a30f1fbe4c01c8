//! Requests by hand: in JSON, and the same in protobuf.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

pub const PROTOBUF: &str = "application/x-protobuf";
pub const JSON: &str = "application/json";
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// 2026-01-05T10:00:00Z.
pub const START: u64 = 1_767_607_200_000_000_000;

/// Makes an attribute of a text.
pub fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// Makes an attribute of a number.
pub fn int(key: &str, value: i64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

/// Makes a span of one second that called a model.
pub fn chat(trace: &str, span: &str) -> Value {
    json!({
        "traceId": trace, "spanId": span, "name": "chat gpt-4o", "kind": 3,
        "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 1_000_000_000).to_string(),
        "attributes": [
            text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-4o"), text("gen_ai.prompt", "Why is it red?"),
            int("gen_ai.usage.input_tokens", 10), int("gen_ai.usage.output_tokens", 4),
        ],
    })
}

/// Wraps spans into a request of one service.
pub fn traces(service: &str, spans: &[Value]) -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", service)]},
        "scopeSpans": [{"scope": {"name": "lib", "version": "1"}, "spans": spans}],
    }]})
}

/// Wraps log records into a request of one service.
pub fn logs(service: &str, records: &[Value]) -> Value {
    json!({"resourceLogs": [{
        "resource": {"attributes": [text("service.name", service)]},
        "scopeLogs": [{"scope": {"name": "lib"}, "logRecords": records}],
    }]})
}

/// Posts a request that must be taken whole; returns the position.
pub async fn export(server: &Server, path: &str, body: &Value) -> u64 {
    let taken = server.post(path, body).await.expect(200);
    assert_eq!(taken.json, json!({}), "nothing was refused");
    taken.header("x-partitura-position").parse().expect("a position")
}

/// Posts bytes with a coding.
pub async fn coded(server: &Server, content: &str, coding: &str, body: Vec<u8>) -> Answer {
    let request = server.request(Method::POST, "/v1/traces").header("content-type", content);
    Answer::of(request.header("content-encoding", coding).body(body)).await
}

/// A protobuf message in the making.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub fn number(mut self, field: u32, number: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(number);
        self
    }

    pub fn fixed(mut self, field: u32, number: u64) -> Self {
        self.varint(u64::from(field) << 3 | 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend(bytes.as_ref());
        self
    }
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("an id");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn number(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).or(value.as_u64()).unwrap_or_default()
}

fn attributes(message: Message, field: u32, list: &Value) -> Message {
    list.as_array().into_iter().flatten().fold(message, |message, attribute| {
        let value = match &attribute["value"]["stringValue"] {
            Value::String(text) => Message::default().bytes(1, text),
            _ => Message::default().number(3, number(&attribute["value"]["intValue"])),
        };
        let pair = Message::default().bytes(1, attribute["key"].as_str().expect("a key")).bytes(2, value.0);
        message.bytes(field, pair.0)
    })
}

/// Writes a span that [`chat`] could have made in protobuf, its fields in another order.
fn span(span: &Value) -> Message {
    let message = attributes(Message::default(), 9, &span["attributes"]);
    let message = if span["parentSpanId"].is_null() { message } else { message.bytes(4, hex(&span["parentSpanId"])) };
    message
        .bytes(5, span["name"].as_str().expect("a name"))
        .number(6, 3)
        .fixed(8, number(&span["endTimeUnixNano"]))
        .fixed(7, number(&span["startTimeUnixNano"]))
        .bytes(2, hex(&span["spanId"]))
        .bytes(1, hex(&span["traceId"]))
        // A field that nobody knows yet.
        .number(77, 5)
}

/// Writes spans as a request in protobuf.
pub fn protobuf(service: &str, spans: &[Value]) -> Vec<u8> {
    let scope = Message::default().bytes(1, "lib").bytes(2, "1");
    let list = spans.iter().fold(Message::default().bytes(1, scope.0), |list, one| list.bytes(2, span(one).0));
    let resource = attributes(Message::default(), 1, &json!([text("service.name", service)]));
    let group = Message::default().bytes(1, resource.0).bytes(2, list.0);
    Message::default().bytes(1, group.0).0
}

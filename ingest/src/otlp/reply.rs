//! Answers to exporters: a result, perhaps partial, and `google.rpc.Status`.

use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use serde_json::{Map, Value, json};

use super::{Encoding, Signal};

/// What a client is told to wait when the server has no better idea.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Type of the detail that says when to send it again.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// Writes the answer to a request that was taken: empty, or with what was refused of it.
pub fn taken(signal: Signal, encoding: Encoding, rejected: u64, message: &str) -> Vec<u8> {
    if rejected == 0 && message.is_empty() {
        return match encoding {
            Encoding::Protobuf => Vec::new(),
            Encoding::Json => b"{}".to_vec(),
        };
    }
    match encoding {
        Encoding::Protobuf => {
            let mut partial = Vec::new();
            if rejected > 0 {
                partial.push(1 << 3);
                varint(rejected, &mut partial);
            }
            bytes(2, message.as_bytes(), &mut partial);
            let mut out = Vec::new();
            bytes(1, &partial, &mut out);
            out
        }
        Encoding::Json => {
            let name = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
            };
            let mut partial = Map::new();
            if rejected > 0 {
                partial.insert(name.to_owned(), Value::from(rejected.to_string()));
            }
            partial.insert("errorMessage".to_owned(), Value::from(message));
            json!({"partialSuccess": partial}).to_string().into_bytes()
        }
    }
}

/// How a refusal is told to exporters, over HTTP and gRPC alike. They send again what says when, and drop everything
/// else for good; so what is no fault of theirs says when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the answer over HTTP.
    pub http: u16,
    /// Code of the answer over gRPC (`google.rpc.Code`).
    pub grpc: i32,
    /// After which time to send it again; nothing if that would not help.
    pub retry_after: Option<Duration>,
    /// What happened and what to do.
    pub message: String,
}

impl Refusal {
    /// Makes the refusal of a problem.
    pub fn of(problem: &Problem) -> Self {
        let http = match problem.class.http() {
            422 => 400,
            500.. => 503,
            status => status,
        };
        let retry_after = matches!(http, 429 | 503).then(|| problem.retry_after.unwrap_or(RETRY_AFTER));
        let grpc = if http == 503 { ErrorClass::Unavailable.grpc() } else { problem.class.grpc() };
        Self { http, grpc, retry_after, message: format!("{problem} ({})", problem.code) }
    }

    /// Writes it as `google.rpc.Status`.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => {
                let mut out = vec![1 << 3];
                varint(u64::from(self.grpc.unsigned_abs()), &mut out);
                bytes(2, self.message.as_bytes(), &mut out);
                if let Some(info) = self.retry_info() {
                    let mut any = Vec::new();
                    bytes(1, RETRY_INFO.as_bytes(), &mut any);
                    bytes(2, &info, &mut any);
                    bytes(3, &any, &mut out);
                }
                out
            }
            Encoding::Json => {
                let info =
                    |wait: Duration| json!({"@type": RETRY_INFO, "retryDelay": format!("{}s", wait.as_secs_f64())});
                let details: Vec<_> = self.retry_after.map(info).into_iter().collect();
                json!({"code": self.grpc, "message": self.message, "details": details}).to_string().into_bytes()
            }
        }
    }

    /// Writes when to send it again as `google.rpc.RetryInfo` in protobuf.
    pub fn retry_info(&self) -> Option<Vec<u8>> {
        let wait = self.retry_after?;
        let mut delay = Vec::new();
        for (number, part) in [(1, wait.as_secs()), (2, u64::from(wait.subsec_nanos()))] {
            if part > 0 {
                delay.push(number << 3);
                varint(part, &mut delay);
            }
        }
        let mut info = Vec::new();
        bytes(1, &delay, &mut info);
        Some(info)
    }
}

fn bytes(number: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

//! Answers to exporters: a result, perhaps partial, and `google.rpc.Status`.

use serde_json::{Map, Value, json};

use super::{Encoding, Signal};

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

/// Writes a `google.rpc.Status`; `code` is of `google.rpc.Code`.
pub fn status(encoding: Encoding, code: i32, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => {
            let mut out = vec![1 << 3];
            varint(u64::from(code.unsigned_abs()), &mut out);
            bytes(2, message.as_bytes(), &mut out);
            out
        }
        Encoding::Json => json!({"code": code, "message": message, "details": []}).to_string().into_bytes(),
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

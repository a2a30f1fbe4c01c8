#![no_main]
//! Any bytes as CloudEvents, structured, batch and binary.

use libfuzzer_sys::fuzz_target;
use partitura_fuzz::take;
use partitura_ingest::ContentType;

const HEADERS: &[(&str, &str)] = &[("ce-specversion", "1.0"), ("ce-type", "x.y"), ("ce-id", "1")];

fuzz_target!(|body: &[u8]| {
    for content in [ContentType::CloudEvent, ContentType::CloudEventBatch, ContentType::CloudEventBinary] {
        take(content, HEADERS, body);
    }
});

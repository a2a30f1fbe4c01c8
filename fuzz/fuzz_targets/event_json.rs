#![no_main]
//! Any bytes as JSON and NDJSON bodies: an answer, never a panic; what is taken is sound JSON.

use libfuzzer_sys::fuzz_target;
use partitura_fuzz::take;
use partitura_ingest::ContentType;

fuzz_target!(|body: &[u8]| {
    take(ContentType::Json, &[], body);
    take(ContentType::Ndjson, &[], body);
});

#![no_main]
//! Any bytes as an Arrow stream.

use libfuzzer_sys::fuzz_target;
use partitura_fuzz::take;
use partitura_ingest::ContentType;

fuzz_target!(|body: &[u8]| take(ContentType::ArrowStream, &[], body));

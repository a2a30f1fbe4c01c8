#![no_main]
//! Any bytes as an OTLP export, in both encodings and as every signal: an answer, never a panic; records are sound.

use libfuzzer_sys::fuzz_target;
use partitura_fuzz::with_context;
use partitura_ingest::otlp::{Encoding, Signal, decode};

fuzz_target!(|body: &[u8]| {
    with_context(|context| {
        for signal in Signal::ALL {
            for encoding in [Encoding::Protobuf, Encoding::Json] {
                let taken = decode(signal, encoding, body, context);
                for draft in taken.into_iter().flat_map(|export| export.drafts) {
                    assert!(draft.data.get().starts_with('{'));
                }
            }
        }
    });
});

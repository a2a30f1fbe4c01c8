#![no_main]
//! Any bytes as CloudEvents, structured, batch and binary.

use libfuzzer_sys::fuzz_target;
use partitura_event::{Source, Timestamp, Workspace};
use partitura_ingest::{ContentType, Context, IdGenerator, Limits, RedactSettings, Redactor, decode};

fuzz_target!(|body: &[u8]| {
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    let (workspace, source) = (Workspace::local(), Source::new("fuzz").expect("a source"));
    let ids = IdGenerator::new(|| [0; 10]);
    let (strict, idempotent, limits) = (false, true, Limits::default());
    let (now, workspace, source, ids, redactor) = (Timestamp::MIN, &workspace, &source, &ids, &redactor);
    let context = Context { workspace, source, now, ids, redactor, limits, strict, idempotent };
    for content in [ContentType::CloudEvent, ContentType::CloudEventBatch, ContentType::CloudEventBinary] {
        for item in decode(content, &[("ce-specversion", "1.0"), ("ce-type", "x.y"), ("ce-id", "1")], body, &context).into_iter().flat_map(|decoded| decoded.items).flatten() {
            assert!(item.draft.data.get().starts_with('{'));
        }
    }
});

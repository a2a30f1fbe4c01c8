#![no_main]
//! Any bytes as an Arrow stream.

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
    for content in [ContentType::ArrowStream] {
        for item in decode(content, &[], body, &context).into_iter().flat_map(|decoded| decoded.items).flatten() {
            assert!(item.draft.data.get().starts_with('{'));
        }
    }
});

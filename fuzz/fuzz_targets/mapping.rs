#![no_main]
//! Any text as a mapping file, used on a row.

use libfuzzer_sys::fuzz_target;
use partitura_ingest::Limits;
use partitura_ingest::import::{Mapping, Row};
use partitura_ingest::json;

const ROW: &str = r#"{"id":"1","t":"2026-01-05T10:00:00Z","n":1.5,"list":[{"a":"b"},[1]],"empty":""}"#;

fuzz_target!(|text: &str| {
    if let Ok(mapping) = Mapping::parse(text) {
        let value = json::parse(ROW, &Limits::default()).expect("a row").into_owned();
        let row = Row { file: "rows.jsonl".to_owned(), number: 1, value };
        assert_eq!(mapping.events(&row), mapping.events(&row));
    }
});

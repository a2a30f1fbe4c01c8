#![no_main]
//! Any text through the redactor, and again.

use libfuzzer_sys::fuzz_target;
use partitura_ingest::{RedactSettings, Redactions, Redactor};

fuzz_target!(|text: &str| {
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    let once = redactor.text(text, &mut Redactions::new()).into_owned();
    let _ = redactor.text(&once, &mut Redactions::new());
});

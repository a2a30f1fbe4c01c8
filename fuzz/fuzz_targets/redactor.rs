#![no_main]
//! Any text through the redactor, and what it made of it once more: never a panic, never an end out of place.

use libfuzzer_sys::fuzz_target;
use partitura_fuzz::REDACTOR;
use partitura_ingest::Redactions;

fuzz_target!(|text: &str| {
    let once = REDACTOR.text(text, &mut Redactions::new()).into_owned();
    let _ = REDACTOR.text(&once, &mut Redactions::new());
});

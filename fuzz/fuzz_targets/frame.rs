//! Bytes of a log frame: header, records and request records.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| partitura_log::fuzz::frame(bytes));

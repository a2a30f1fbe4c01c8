#![no_main]
//! Any text as the filter of a search: refused or planned.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use partitura_query::search::rehearse_filter;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

fuzz_target!(|filter: &str| {
    let _ = RUNTIME.block_on(rehearse_filter(filter));
});

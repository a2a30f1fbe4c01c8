//! Any text as the filter of a search: refused with a problem or planned, never more than that.
//!
//! `PROPTEST_CASES` sets how many; `fuzz/` has the same for libFuzzer.

use std::sync::LazyLock;

use partitura_query::search::{SearchRequest, rehearse_filter};
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// What filters are made of, sound and unsound.
const WORDS: &[&str] = &[
    "kind",
    "agent_id",
    "title",
    "text",
    "tags",
    "time",
    "position",
    "_pos",
    "\"kind\"",
    "documents.kind",
    "'claude'",
    "'knowledge'",
    "''",
    "'%a_'",
    "'",
    "\"",
    "0",
    "-1",
    "1.5e300",
    "9223372036854775808",
    "NULL",
    "TRUE",
    "=",
    "<>",
    "<",
    ">=",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ILIKE",
    "SIMILAR TO",
    "~",
    "IS NULL",
    "BETWEEN",
    "CASE WHEN",
    "THEN",
    "ELSE",
    "END",
    "(",
    ")",
    ",",
    "[",
    "]",
    "::",
    "::timestamp",
    "::int",
    "::decimal(38,12)",
    "CAST(",
    "AS INT)",
    "||",
    "+",
    "-",
    "*",
    "/ 0",
    "%",
    "&",
    "^",
    "lower(",
    "count(",
    "random()",
    "now()",
    "array_has(tags,",
    "interval '1 day'",
    "SELECT",
    "FROM documents",
    "EXISTS (",
    ";",
    "--",
    "/*",
    "*/",
    "$1",
    "?",
    "@",
    "\\",
    "é",
    "\u{0}",
    "\u{202e}",
];

fn filters() -> impl Strategy<Value = String> {
    let word = prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => any::<String>()];
    let words = prop::collection::vec(word, 1..24).prop_map(|words| words.join(" "));
    let deep = (
        prop::sample::select(&["(", "NOT ", "-", "lower(", "CASE WHEN ", "kind = 'a' OR ", "[", "("][..]),
        1..600_usize,
    )
        .prop_map(|(unit, times)| format!("{}kind = 'a'", unit.repeat(times)));
    prop_oneof![6 => words, 1 => deep, 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_text_is_an_answer(filter in filters()) {
        let body = json!({"query": "x", "filter": filter});
        if let Ok(SearchRequest { filter: Some(filter), .. }) = SearchRequest::from_json(&body)
            && let Err(problem) = RUNTIME.block_on(rehearse_filter(&filter))
        {
            prop_assert!((400..500).contains(&problem.class.http()), "{filter:?}: {problem:?}");
            prop_assert!(!problem.detail.is_empty() && problem.detail.len() < 4 * 4096 + 1024, "{filter:?}: {problem:?}");
        }
    }
}

#[test]
fn sound_filters_pass() {
    for filter in [
        "kind = 'knowledge' AND agent_id = 'claude'",
        "time > '2026-01-01' OR title LIKE '%x%'",
        "NOT (kind IN ('a','b'))",
    ] {
        RUNTIME.block_on(rehearse_filter(filter)).unwrap_or_else(|problem| panic!("{filter}: {problem}"));
    }
}

//! Bulk ingest into `events`: stored, visible, redacted, not doubled; refused in whole sentences.

use serde_json::{Value, json};

use crate::python::{server, story};

#[tokio::test]
async fn rows_become_events() {
    let server = server(&[]);
    let found = story("adbc_client.py", "ingest", &server, json!({}));
    assert_eq!(found["first"], 3);
    let visible = found["visible"].as_array().expect("rows");
    assert_eq!(visible.len(), 3, "what was ingested is visible at once");
    let row: Vec<&str> = visible[0].as_array().expect("a row").iter().filter_map(Value::as_str).collect();
    assert_eq!(row[..3], ["1", "note.taken", "bulk"]);
    assert!(row[3].starts_with("2026-01-02 03:04:05"), "{row:?}");
    let data: Value = serde_json::from_str(row[4]).expect("JSON");
    assert_eq!(data, json!({"n": 1, "text": ""}));
    assert_eq!(found["again"], 1, "three of four were there already");
    assert_eq!(found["count"], json!([[4]]));
    assert_eq!((&found["words"], &found["nothing"]), (&json!(3), &json!(0)));
    assert_eq!((&found["large"], &found["batches"], &found["heavy"]), (&json!(25_000), &json!(12_000), &json!(7_000)));
    let sum = |n: u64| n * (n + 1) / 2;
    let counts = json!([
        ["batches", 12_000, 12_000, sum(12_000)],
        ["bulk", 4, 4, 10],
        ["heavy", 7_000, 7_000, sum(7_000)],
        ["large", 25_000, 25_000, sum(25_000)],
        ["words", 3, 3, 33],
    ]);
    assert_eq!(found["counts"], counts);
    assert_eq!(found["secret"], 1);
    let redacted = found["redacted"][0][0].as_str().expect("a text");
    assert!(redacted.contains("key ") && !redacted.contains("sk-ant"), "{redacted}");
}

#[tokio::test]
async fn what_cannot_be_ingested_is_said_and_not_half_written() {
    let server = server(&[]);
    let found = story("adbc_client.py", "ingest_refused", &server, json!({}));
    let said = |name: &str, parts: &[&str]| {
        let text = found[name]["text"].as_str().expect("a text");
        assert_ne!(found[name]["type"], "none", "{name}");
        for part in parts {
            assert!(text.contains(part), "{name}: {part:?} is not in {text}");
        }
    };
    said("table", &["cannot be ingested into `tasks`", "ingest into `events`", "table_is_folded"]);
    said("unknown", &["no table `evnts`", "did you mean events"]);
    said("create", &["exists already", "table_exists"]);
    said("replace", &["events are never removed"]);
    said("temporary", &["temporary table is not supported"]);
    said("row", &["row 2: ", "time"]);
    said("late", &["10000 rows were appended; then row 10003: "]);
    said("column", &["`sourc` is no field of an event", "did you mean source"]);
    said("message", &["larger than max"]);
    assert_eq!(found["stored"], json!([["late", 10_000]]), "whole appends or nothing of them");
}

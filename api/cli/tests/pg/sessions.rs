//! How a session is set, and that nothing of it reaches another.

use serde_json::json;

use crate::client::{refused, story};
use crate::world::{filled, server};

#[tokio::test]
async fn a_session_is_set_for_itself_alone() {
    let server = server(&[]);
    filled(&server).await;
    let found = story("psycopg3_client.py", "sessions", &server, json!({}));
    assert_eq!(found["options"], json!(["7000", "public", "story"]));
    assert_eq!(found["zone"], json!(["Asia/Tokyo", "Asia/Tokyo", "UTC"]));
    assert_ne!(found["days"][0], found["days"][1], "a day begins where its session says: {}", found["days"]);
    assert_eq!(found["reset"], json!(["UTC", "7000"]), "RESET goes back to what the client connected with");
    assert_eq!((&found["set_config"], &found["configured"]), (&json!([["other"]]), &json!(["other", "other"])));
    assert_eq!(found["current_setting"], json!([["other", null]]));
    assert_eq!((&found["local"], &found["rolled_back"]), (&json!(["inner", "other"]), &json!("other")));
    assert_eq!(found["as_of"], json!([2, 4]), "the past is read by the session that asked for it");
    assert_eq!((&found["limit"], &found["discarded"]), (&json!(3), &json!(["", "story"])));
    refused(&found["unknown"], "42704", &["statement_timout", "statement_timeout"]);
    refused(&found["fixed"], "55P02", &["cannot be changed"]);
    refused(&found["value"], "22023", &["soon", "30s"]);
    refused(&found["zone_name"], "22023", &["Mars/Base"]);
    refused(&found["encoding"], "22023", &["LATIN1", "UTF8"]);
    refused(&found["style"], "22023", &["German", "ISO"]);
    refused(&found["show"], "42704", &["nothing"]);
    refused(&found["past"], "22023", &["yesterday"]);
    let identity = found["identity"].as_array().expect("a row");
    let pid = found["pid"].to_string();
    assert_eq!(
        identity[..6],
        [json!("ada"), json!("ada"), json!("partitura"), json!("public"), json!(false), json!(pid)]
    );
    assert!(identity[6].as_str().is_some_and(|text| text.starts_with("PostgreSQL 16")), "{identity:?}");
    assert_eq!((&found["qualified"], &found["isolation"]), (&json!([[true]]), &json!("repeatable read")));
}

#[tokio::test]
async fn a_repeatable_transaction_reads_one_position() {
    let server = server(&[]);
    filled(&server).await;
    let found = story("psycopg3_client.py", "repeatable", &server, json!({"url": server.url}));
    assert_eq!(found, json!({"before": 4, "outside": 5, "again": 4, "after": 5}));
}

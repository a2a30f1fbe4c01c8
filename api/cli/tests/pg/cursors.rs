//! Rows in portions, cancelling, and memory that does not grow with an answer.

use serde_json::json;

use crate::client::{refused, story};
use crate::world::{filled, server};

#[tokio::test]
async fn cursors_give_rows_in_portions_and_end_with_their_transaction() {
    let server = server(&[]);
    filled(&server).await;
    let found = story("psycopg3_client.py", "cursors", &server, json!({}));
    assert_eq!((&found["columns"], &found["first"]), (&json!(["n"]), &json!([1, 2, 3])));
    assert_eq!((&found["after_move"], &found["rest"]), (&json!(6), &json!(994)));
    assert_eq!((&found["held"], &found["held_after"]), (&json!([1, 2]), &json!([3, 4, 5])));
    refused(&found["backward"], "55000", &["forward only"]);
    refused(&found["gone"], "34000", &["\"back\" does not exist"]);
    refused(&found["outside"], "25P01", &["transaction blocks", "BEGIN"]);
    assert_eq!(found["stream"], 20_000);
}

#[tokio::test]
async fn a_statement_is_cancelled_and_the_session_goes_on() {
    let server = server(&[]);
    let found = story("psycopg3_client.py", "cancels", &server, json!({}));
    refused(&found["cancelled"], "57014", &["cancel"]);
    assert!(found["seconds"].as_f64().is_some_and(|seconds| seconds < 20.0), "{found}");
    assert_eq!(found["after"], json!([[6]]));
    refused(&found["timed_out"], "57014", &["300 ms"]);
    assert_eq!(found["reset"], json!([["0"]]));
}

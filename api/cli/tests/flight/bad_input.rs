//! What cannot be answered is refused in whole sentences, with code and hint, and the server goes on.

use serde_json::json;

use crate::python::{refused, server, story};

#[tokio::test]
async fn wrong_sql_is_refused_as_over_http() {
    let server = server(&[]);
    let found = story("adbc_client.py", "bad_input", &server, json!({}));
    refused(&found["syntax"], "ProgrammingError", &["line 1, column 1", "[sql_syntax]"]);
    refused(&found["table"], "ProgrammingError", &["no table `taks`", "did you mean tasks"]);
    refused(&found["column"], "ProgrammingError", &["no column", "did you mean status"]);
    for (name, word) in
        [("ddl", "CREATE"), ("insert", "INSERT"), ("copy", "COPY"), ("external", "CREATE EXTERNAL"), ("update", "")]
    {
        let parts = if name == "update" {
            vec!["an update is not supported", "events"]
        } else {
            vec![word, "read-only", "sql_read_only"]
        };
        let kind = if name == "update" { "NotSupportedError" } else { "ProgrammingError" };
        refused(&found[name], kind, &parts);
    }
    refused(&found["several"], "ProgrammingError", &["2 statements", "sql_several_statements"]);
    refused(&found["long"], "InternalError", &["65536", "sql_too_complex"]);
    refused(&found["header"], "ProgrammingError", &["no header `x-partitura-asof`", "did you mean as-of"]);
    refused(&found["time"], "OperationalError", &["longer than its limit of 200 ms", "sql_timeout"]);
    assert_eq!(found["alive"], json!([[1]]));
}

#[tokio::test]
async fn what_is_no_flight_sql_is_refused() {
    let server = server(&[]);
    let found = story("raw_client.py", "garbage", &server, json!({}));
    for (name, parts) in [
        ("command", &["no Flight SQL command"][..]),
        ("plain", &["not supported"]),
        ("ticket", &["no Flight SQL command"]),
        ("empty_ticket", &["foreign_ticket"]),
        ("handle", &["foreign_ticket"]),
        ("transaction", &["a transaction is not supported", "autocommit"]),
        ("substrait", &["a Substrait plan is not supported", "SQL"]),
        ("update", &["an update is not supported", "/v1/events"]),
        ("put", &["no Flight SQL command"]),
        ("action", &["CreatePreparedStatment", "did you mean CreatePreparedStatement"]),
        ("exchange", &["not supported", "DoGet"]),
        ("list", &["not supported", "CommandGetTables"]),
    ] {
        let text = found[name]["text"].as_str().expect("a text");
        assert_ne!(found[name]["type"], "none", "{name}");
        for part in parts {
            assert!(text.contains(part), "{name}: {part:?} is not in {text}");
        }
    }
    assert_eq!(found["alive"], json!([{"n": 1}]));
}

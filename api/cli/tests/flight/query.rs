//! Questions: types, parameters, a million rows, the past, cancelling.

use serde_json::{Value, json};

use crate::python::{refused, server, story};
use crate::server::Server;

async fn notes(server: &Server) {
    for (source, id) in [("t", "1"), ("t", "2"), ("t", "3"), ("u", "4")] {
        let event =
            json!({"type": "note.taken", "source": source, "id": id, "time": "2026-01-01T00:00:00Z", "data": {}});
        server.post("/v1/events", &event).await.expect(201);
    }
    server.rows("SELECT 1", 4).await;
}

#[tokio::test]
async fn values_keep_their_types_and_views_become_plain() {
    let server = server(&[]);
    let found = story("adbc_client.py", "query", &server, json!({}));
    let row = json!({
        "n": "1", "t": "é", "nothing": "None", "f": "1.5", "b": "True", "d": "1.25", "day": "2026-01-02",
        "v": "view", "bin": "b'x'", "word": "word", "l": "[1, 2]",
    });
    assert_eq!(found["row"], row);
    let types = json!({
        "n": "int64", "t": "string", "nothing": "int64", "f": "double", "b": "bool", "d": "decimal128(10, 2)",
        "day": "date32[day]", "v": "string", "bin": "binary", "word": "string", "l": "list<item: int64>",
    });
    assert_eq!(found["types"], types);
}

#[tokio::test]
async fn parameters_are_bound_in_every_way_that_drivers_write_them() {
    let server = server(&[]);
    notes(&server).await;
    let found = story("adbc_client.py", "parameters", &server, json!({}));
    assert_eq!(found["marks"], json!([["1"], ["3"]]));
    assert_eq!(found["numbers"], json!([["ba"]]));
    assert_eq!(found["typed"], json!([["2"]]));
    assert_eq!(found["null"], json!([[true]]));
    assert_eq!(found["hostile"], json!([[0]]));
    assert_eq!(found["time"], json!([[4]]));
    assert_eq!(found["named"], json!([["claude", 3]]));
    assert_eq!(found["again"], json!([[["1"]], [["4"]]]));
    assert_eq!(found["parameter_schema"], json!({"$1": "int64", "$2": "string"}));
    assert_eq!(found["result_schema"], json!({"id": "string", "position": "int64"}));
    refused(&found["too_few"], "ProgrammingError", &["2 parameters and 1 values", "sql_parameter_type"]);
    refused(&found["none"], "ProgrammingError", &["`$1` is not given", "sql_parameter_missing", "bind"]);
    refused(&found["mixed"], "ProgrammingError", &["sql_parameter_mixed"]);
    refused(&found["binary"], "ProgrammingError", &["cannot be bound", "sql_parameter_type"]);
}

#[tokio::test]
async fn values_are_remembered_for_clients_that_keep_the_first_handle() {
    let server = server(&[]);
    let found = story("raw_client.py", "prepared", &server, json!({}));
    refused(&found["unbound"], "ArrowInvalid", &["`$1` is not given"]);
    assert_eq!(found["values"], json!([[{"a": "one"}], [{"a": "two"}]]));
    refused(&found["two_rows"], "ArrowInvalid", &["2 rows of values are bound"]);
    refused(&found["closed"], "ArrowInvalid", &["`$1` is not given"]);
}

#[tokio::test]
async fn a_million_rows_arrive_and_one_more_is_not_cut_in_silence() {
    let server = server(&[]);
    let found = story("adbc_client.py", "million", &server, json!({}));
    assert_eq!((&found["count"], &found["sum"]), (&json!(1_000_000), &json!(500_000_500_000_u64)));
    refused(&found["cut"], "InternalError", &["cut after 1000000 rows", "LIMIT", "answer_cut"]);
    assert_eq!(found["limited"], 7, "who asks for seven rows gets them");
}

#[tokio::test]
async fn a_query_ends_when_its_driver_cancels_it() {
    let server = server(&[]);
    let found = story("adbc_client.py", "cancel", &server, json!({}));
    assert_eq!((&found["running"], &found["ended"], &found["left"]), (&json!(1), &json!(true), &json!(0)), "{found}");
    assert_ne!(found["said"]["type"], "none", "{found}");
}

#[tokio::test]
async fn a_query_ends_when_another_connection_cancels_it() {
    let server = server(&[]);
    for action in ["CancelQuery", "CancelFlightInfo"] {
        let found = story("raw_client.py", "cancel", &server, json!({"action": action}));
        assert!(found["first"].as_u64().is_some_and(|rows| rows > 0), "{found}");
        assert_eq!(found["running"], 1);
        assert_eq!(found["results"], json!(["CANCEL_RESULT_CANCELLED", "CANCEL_RESULT_NOT_CANCELLABLE"]), "{action}");
        let said = found["said"]["text"].as_str().expect("a text");
        assert!(said.contains("was cancelled") && said.contains("sql_cancelled"), "{found}");
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_loses_its_query() {
    let server = server(&["--stall-timeout", "2s", "--query-timeout", "120s"]);
    let found = story("raw_client.py", "stall", &server, json!({}));
    assert!(found["first"].as_u64().is_some_and(|rows| rows > 0), "{found}");
    assert_eq!(found["left"], 0, "its place is free: {found}");
    let said = found["said"]["text"].as_str().expect("a text");
    assert!(said.contains("stopped reading"), "the rest does not look like the end: {said}");
}

#[tokio::test]
async fn the_past_is_asked_by_headers() {
    let server = server(&[]);
    notes(&server).await;
    let found = story("adbc_client.py", "past", &server, json!({"as_of": 2, "head": 4}));
    assert_eq!(found, json!({"then": [[2]], "now": [[4]]}));
}

#[tokio::test]
async fn sqlalchemy_reflects_and_asks() {
    let server = server(&[]);
    // Without a key the client sends `Bearer None`, which is none.
    let token = crate::key::key(&server, None, "local", &["ingest", "read"], json!({})).await;
    let event = json!({"type": "note.taken", "source": "t'", "id": "1", "data": {}});
    let sent = server.request(reqwest::Method::POST, "/v1/events").bearer_auth(&token).json(&event);
    let position = crate::answer::Answer::of(sent).await.expect(201).json["position"].clone();
    let wait = json!({"sql": "SELECT 1", "min_position": position, "wait_ms": 20_000});
    let asked = server.request(reqwest::Method::POST, "/v1/sql").bearer_auth(&token).json(&wait);
    crate::answer::Answer::of(asked).await.expect(200);
    let found = story("alchemy_client.py", "everything", &server, json!({"token": token}));
    assert_eq!(found["one"], 1);
    assert_eq!(found["schemas"], json!(["public", "system"]));
    assert_eq!(found["has"], json!([true, false]));
    let columns: Vec<&str> = found["columns"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert!(columns.starts_with(&["position", "id", "source", "type"]), "{columns:?}");
    assert_eq!(found["rows"], json!([["t'", 1]]));
    assert_eq!(found["key"], json!(["position"]));
    assert_eq!(found["bound"], 1);
    let said = found["refused"]["text"].as_str().expect("a text");
    assert!(said.contains("did you mean tasks"), "{said}");
}

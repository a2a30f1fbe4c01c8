//! Who may: keys as password and as token, scopes, workspaces that never see each other.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::key::key;
use crate::python::{refused, server, story};

#[tokio::test]
async fn a_key_opens_its_workspace_and_no_other() {
    let server = server(&[]);
    let root = key(&server, None, "root", &["ingest", "read", "admin"], json!({"server": true})).await;
    let writer = key(&server, Some(&root), "alpha", &["ingest"], json!({})).await;
    let reader = key(&server, Some(&root), "alpha", &["read"], json!({})).await;
    let other = key(&server, Some(&root), "beta", &["read"], json!({})).await;
    let events = json!([{"type": "note.taken", "source": "a", "id": "1", "data": {}}]);
    let sent = server.request(Method::POST, "/v1/events").bearer_auth(&writer).json(&events);
    let position = Answer::of(sent).await.expect(201).json["position"].as_u64().expect("a position");
    let wait = json!({"sql": "SELECT 1", "min_position": position, "wait_ms": 20_000});
    Answer::of(server.request(Method::POST, "/v1/sql").bearer_auth(&reader).json(&wait)).await.expect(200);
    let found = story("adbc_client.py", "access", &server, json!({"writer": writer, "reader": reader, "other": other}));
    refused(&found["none"], "ProgrammingError", &["asks for a key", "key_needed"]);
    refused(&found["wrong_password"], "ProgrammingError", &["the key is not valid", "invalid_key"]);
    refused(&found["wrong_token"], "ProgrammingError", &["the key is not valid", "invalid_key"]);
    let own = |rows: &Value| rows.as_array().expect("rows").iter().any(|row| row[0] == "a");
    assert!(own(&found["password"]) && own(&found["token"]), "{found}");
    assert!(!own(&found["other"]), "another workspace's rows are never seen: {}", found["other"]);
    refused(&found["elsewhere"], "ProgrammingError", &["does not read the workspace", "other_workspace"]);
    refused(&found["reader_puts"], "ProgrammingError", &["needs the scope `ingest`", "forbidden"]);
    refused(&found["writer_reads"], "ProgrammingError", &["needs the scope `read`", "forbidden"]);
    assert_eq!(found["writer_puts"], 1, "who may only ingest may ingest");
    assert!(found["after"].as_array().expect("rows").contains(&json!(["put", 1])), "{}", found["after"]);
    let alchemy = story("alchemy_client.py", "everything", &server, json!({"password": reader}));
    assert_eq!((&alchemy["one"], &alchemy["rows"]), (&json!(1), &json!([])));
}

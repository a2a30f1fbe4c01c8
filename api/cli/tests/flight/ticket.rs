//! Tickets: the same rows again, for whom they were given to, unchanged, and nobody else.

use serde_json::{Value, json};

use crate::key::key;
use crate::python::{refused, server, story};
use crate::server::Server;

async fn note(server: &Server, key: Option<&str>, id: &str) {
    let event = json!({"type": "note.taken", "source": "t", "id": id, "data": {}});
    let request = server.request(reqwest::Method::POST, "/v1/events").json(&event);
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    crate::answer::Answer::of(request).await.expect(201);
}

#[tokio::test]
async fn a_ticket_gives_the_same_rows_again() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let arguments = ["--flight", "127.0.0.1:0"];
    let server = Server::start_in(temp.path(), &arguments);
    note(&server, None, "1").await;
    server.rows("SELECT 1", 1).await;
    let given =
        story("raw_client.py", "ticket", &server, json!({"sql": "SELECT id, now() AS now FROM events ORDER BY id"}));
    assert_eq!(given["told"]["position"], 1);
    let fetch = |server: &Server| story("raw_client.py", "fetch", server, json!({"ticket": given["ticket"]}));
    let first = fetch(&server);
    assert_eq!(first["rows"][0]["id"], "1");
    let refusals = json!(["this ticket or statement was not given to you by this server"]);
    let other = |text: &Value| text.as_str().is_some_and(|text| text.contains("not given to you by this server"));
    assert!(first["changed"].as_array().expect("texts").iter().all(other), "{} != {refusals}", first["changed"]);
    note(&server, None, "2").await;
    server.rows("SELECT 1", 2).await;
    assert_eq!(fetch(&server)["rows"], first["rows"], "what came later is not in it, and its time is the same");
    drop(server);
    let server = Server::start_in(temp.path(), &arguments);
    assert_eq!(fetch(&server)["rows"], first["rows"], "a restart changes nothing");
    let stranger = crate::python::server(&[]);
    let text = &story("raw_client.py", "fetch", &stranger, json!({"ticket": given["ticket"]}))["rows"];
    refused(text, "FlightUnauthorizedError", &["not given to you by this server", "foreign_ticket"]);
}

#[tokio::test]
async fn a_ticket_is_of_its_key_and_workspace() {
    let server = server(&[]);
    let root = key(&server, None, "root", &["ingest", "read", "admin"], json!({"server": true})).await;
    let own = key(&server, Some(&root), "alpha", &["read", "ingest"], json!({})).await;
    let beside = key(&server, Some(&root), "alpha", &["read"], json!({})).await;
    let other = key(&server, Some(&root), "beta", &["read"], json!({})).await;
    note(&server, Some(&own), "1").await;
    let sql = json!({"sql": "SELECT id FROM events WHERE source = 't'", "token": own, "headers": {"x-partitura-min-position": "4"}});
    let given = story("raw_client.py", "ticket", &server, sql);
    let fetch = |token: &str| {
        let arguments = json!({"ticket": given["ticket"], "token": token, "sealed": 1});
        story("raw_client.py", "fetch", &server, arguments)["rows"].clone()
    };
    assert_eq!(fetch(&own), json!([{"id": "1"}]));
    refused(&fetch(&beside), "FlightUnauthorizedError", &["foreign_ticket"]);
    refused(&fetch(&other), "FlightUnauthorizedError", &["foreign_ticket"]);
}

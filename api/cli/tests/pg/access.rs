//! Who may: keys by proof and by password, scopes, workspaces that never see each other, places.

use reqwest::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::client::{refused, story, told};
use crate::key::key;
use crate::server::Server;
use crate::wire::{Raw, error, message, startup};
use crate::world::server;

#[tokio::test]
async fn a_key_opens_its_workspace_and_no_other() {
    let server = server(&[]);
    let root = key(&server, None, "root", &["ingest", "read", "admin"], json!({"server": true})).await;
    let writer = key(&server, Some(&root), "alpha", &["ingest"], json!({})).await;
    let reader = key(&server, Some(&root), "alpha", &["read"], json!({})).await;
    let other = key(&server, Some(&root), "beta", &["read"], json!({})).await;
    let events = json!([{"type": "note.taken", "source": "pg", "id": "1", "data": {}}]);
    let sent = server.request(Method::POST, "/v1/events").bearer_auth(&writer).json(&events);
    let position = Answer::of(sent).await.expect(201).json["position"].as_u64().expect("a position");
    let wait = json!({"sql": "SELECT 1", "min_position": position, "wait_ms": 20_000});
    Answer::of(server.request(Method::POST, "/v1/sql").bearer_auth(&reader).json(&wait)).await.expect(200);
    let keys = json!({"writer": writer, "reader": reader, "other": other, "root": root, "url": server.url});
    let found = story("psycopg3_client.py", "access", &server, keys.clone());
    assert_eq!(
        found["rows"],
        json!([1, 1, 1, 0, 1]),
        "proof, password, another spelling; beta; the server's key: {found}"
    );
    for name in ["wrong_proof", "wrong_password", "no_password"] {
        told(&found[name], &["key"]);
    }
    told(&found["writer"], &["scope `read`"]);
    told(&found["elsewhere"], &["does not read the workspace"]);
    told(&found["database"], &["\"postgres\" does not exist", "partitura"]);
    assert_eq!(found["names"], json!([[true]]));
    let found = story("psycopg3_client.py", "revoked", &server, keys);
    assert_eq!(found["before"], json!([[1]]));
    refused(&found["after"], "57P01", &["does not let anybody in any more"]);
    assert_eq!(found["closed"], true, "a revoked key ends its sessions");
}

#[tokio::test]
async fn refusals_have_the_states_that_clients_look_for() {
    let server = server(&[]);
    let root = key(&server, None, "root", &["read", "admin"], json!({"server": true})).await;
    let writer = key(&server, Some(&root), "alpha", &["ingest"], json!({})).await;
    for (password, state) in
        [("wrong", "28P01"), (&root[..root.len() - 1], "28P01"), (&writer, "42501"), ("\u{0}", "28P01")]
    {
        let mut raw = Raw::open(&server);
        raw.send(&startup(196_608, b"user\0anybody\0\0"));
        raw.send(&message(b'p', &[password.as_bytes(), b"\0"].concat()));
        assert_eq!(error(&raw.until(0)).expect("a refusal").0, state, "{password}");
    }
    let id = root.split('_').nth(1).expect("an id");
    for first in ["n,,n=,r=", "p=tls-server-end-point,,n=,r=abc", "nonsense", "n,,n=,r=abc"] {
        let mut raw = Raw::open(&server);
        raw.send(&startup(196_608, format!("user\0{id}\0\0").as_bytes()));
        let length = u32::try_from(first.len()).expect("a length").to_be_bytes();
        raw.send(&message(b'p', &[b"SCRAM-SHA-256\0", &length[..], first.as_bytes()].concat()));
        raw.send(&message(b'p', b"c=biws,r=abc,p=AAAA"));
        assert_eq!(error(&raw.until(0)).expect("a refusal").0, "08P01", "{first}");
    }
}

#[tokio::test]
async fn nobody_listens_on_other_addresses_without_a_key() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let said =
        Server::try_start_in(&temp.path().join("data"), &["--pg", "0.0.0.0:0"]).err().expect("it does not start");
    assert!(said.contains("can be reached from other machines"), "{said}");
}

#[tokio::test]
async fn a_connection_without_a_place_is_told_so() {
    let server = server(&["--connections-max", "3"]);
    let found = story("psycopg3_client.py", "crowd", &server, json!({"places": 3}));
    assert!(found["over"]["text"].as_str().is_some_and(|text| text.contains("3 connections are open")), "{found}");
    assert_eq!((&found["still"], &found["after"]), (&json!([[1]]), &json!([[2]])));
}

#[tokio::test]
async fn an_idle_session_ends_with_a_word() {
    let server = server(&["--pg-idle-timeout", "200ms"]);
    let found = story("psycopg3_client.py", "idle", &server, json!({"seconds": 0.6}));
    assert!(found["said"]["text"].as_str().is_some_and(|text| text.contains("the session was idle")), "{found}");
}

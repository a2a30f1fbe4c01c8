//! Who may do what: every route × no key, wrong scope, other workspace, right key; and the life of a key.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::key::key;
use crate::server::Server;

/// Makes the first key of a server: it administers everything.
pub async fn root(server: &Server) -> String {
    key(server, None, "root", &["ingest", "read", "act", "admin"], json!({"server": true})).await
}

fn concrete(path: &str) -> String {
    path.replace("{id}", "x").replace("{name}", "tasks").replace("{type}", "task.created")
}

/// Asserts a 403 with this code. Exporters read `google.rpc.Status`, in which 7 is PERMISSION_DENIED.
#[track_caller]
fn expect_refusal(refused: Answer, path: &str, code: &str) {
    if !["/v1/traces", "/v1/logs", "/v1/metrics", "/api/public/otel/v1/traces"].contains(&path) {
        refused.expect_problem(403, code);
        return;
    }
    let refused = refused.expect(403);
    let says = refused.json["message"].as_str().is_some_and(|message| message.ends_with(&format!("({code})")));
    assert!(refused.json["code"] == 7 && says, "{path}: {}", refused.text);
}

#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let server = Server::start();
    let root = root(&server).await;
    let document = server.get("/openapi.json").await.expect(200).json;
    let mut guarded = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let name = format!("{method} {path}");
            let path = concrete(path);
            let bare = Answer::of(server.request(method.clone(), &path)).await;
            let Some(scope) = operation["security"][0]["bearer"][0].as_str() else {
                assert_eq!(bare.status, 200, "{name} is open");
                continue;
            };
            guarded += 1;
            assert_eq!(bare.status, 401, "{name} without a key");
            assert!(bare.header("www-authenticate").starts_with("Bearer"), "{name}");
            let others: Vec<_> = ["ingest", "read", "act", "admin"].into_iter().filter(|s| *s != scope).collect();
            let wrong = key(&server, Some(&root), "alpha", &others, json!({})).await;
            let refused = Answer::of(server.request(method.clone(), &path).bearer_auth(&wrong)).await;
            expect_refusal(refused, &path, "forbidden");
            let right = key(&server, Some(&root), "alpha", &[scope], json!({})).await;
            if path != "/v1/events/stream" {
                let answer = Answer::of(server.request(method.clone(), &path).bearer_auth(&right)).await;
                let own = !["/metrics", "/v1/verify", "/v1/rebuild", "/v1/exports/tasks/run"].contains(&path.as_str());
                assert!(answer.status != 401 && (answer.status != 403) == own, "{name}: {}", answer.text);
            }
            let elsewhere = server.request(method, &path).bearer_auth(&right).header("x-partitura-workspace", "beta");
            expect_refusal(Answer::of(elsewhere).await, &path, "other_workspace");
        }
    }
    assert!(guarded > 15, "{guarded}");
}

#[tokio::test]
async fn a_key_is_shown_once_rotated_and_revoked() {
    let server = Server::start();
    let root = root(&server).await;
    let text = key(&server, Some(&root), "alpha", &["ingest", "read"], json!({"name": "ci"})).await;
    let id = text.split('_').nth(1).expect("an id").to_owned();
    let get = |key: &str| Answer::of(server.request(Method::GET, "/v1/events").bearer_auth(key));
    get(&text).await.expect(200);
    let by_header = server.request(Method::GET, "/v1/events").header("x-api-key", &text);
    Answer::of(by_header).await.expect(200);
    Answer::of(server.request(Method::GET, "/v1/events").basic_auth(&id, Some(&text))).await.expect(200);
    let event = json!({"type": "note.taken", "id": "1", "data": {}});
    let append = |key: &str| Answer::of(server.request(Method::POST, "/v1/events").bearer_auth(key).json(&event));
    append(&text).await.expect(201);

    let rotate = server.request(Method::POST, &format!("/v1/keys/{id}/rotate")).bearer_auth(&root);
    let rotated = Answer::of(rotate.json(&json!({"overlap": "1s"}))).await.expect(200);
    let renewed = rotated.json["key"].as_str().expect("the key's text").to_owned();
    get(&text).await.expect(200);
    // The producer is the same, so a retry with the new secret is the same event.
    append(&renewed).await.expect(200);
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    get(&text).await.expect_problem(401, "invalid_key");
    get(&renewed).await.expect(200);

    let revoke = server.request(Method::DELETE, &format!("/v1/keys/{id}")).bearer_auth(&root);
    Answer::of(revoke).await.expect(200);
    get(&renewed).await.expect_problem(401, "invalid_key");

    let list = Answer::of(server.request(Method::GET, "/v1/keys").bearer_auth(&root)).await.expect(200);
    assert!(!list.text.contains(&text) && !list.text.contains("hash"), "{}", list.text);
    let file = std::fs::read_to_string(server.folder.join("keys.json")).expect("the file");
    let secret = text.rsplit('_').next().expect("a secret");
    assert!(!file.contains(secret), "the file holds hashes only");
    let audit = server.request(Method::POST, "/v1/sql").bearer_auth(&root).header("x-partitura-workspace", "alpha");
    let sql = json!({"sql": "SELECT type FROM events WHERE type LIKE 'key.%' ORDER BY position", "min_position": 5});
    let audit = Answer::of(audit.json(&sql)).await.expect(200);
    let kinds: Vec<_> = audit.json.as_array().expect("rows").iter().map(|row| row["type"].clone()).collect();
    assert_eq!(json!(kinds), json!(["key.created", "key.rotated", "key.revoked"]));
}

#[tokio::test]
async fn an_administrator_of_a_workspace_stays_in_it() {
    let server = Server::start();
    let root = root(&server).await;
    let alpha = key(&server, Some(&root), "alpha", &["admin", "read"], json!({})).await;
    let beta = key(&server, Some(&root), "beta", &["read"], json!({})).await;
    let beta_id = beta.split('_').nth(1).expect("an id");
    let ask = |method: Method, path: String, body: Value| {
        Answer::of(server.request(method, &path).bearer_auth(&alpha).json(&body))
    };
    ask(Method::POST, "/v1/keys".into(), json!({"workspace": "beta", "scopes": ["read"]}))
        .await
        .expect_problem(403, "server_key_needed");
    ask(Method::POST, "/v1/keys".into(), json!({"scopes": ["read"], "reads": ["beta"]}))
        .await
        .expect_problem(403, "server_key_needed");
    ask(Method::DELETE, format!("/v1/keys/{beta_id}"), json!({})).await.expect_problem(404, "unknown_key");
    let list = ask(Method::GET, "/v1/keys".into(), Value::Null).await.expect(200);
    assert!(!list.text.contains(beta_id), "{}", list.text);
    ask(Method::POST, "/v1/backup".into(), json!({"to": "/tmp/x"})).await.expect_problem(403, "server_key_needed");
    let reader = key(&server, Some(&root), "alpha", &["read", "ingest"], json!({"reads": ["beta"]})).await;
    let other = |method: Method, path: &str| {
        server.request(method, path).bearer_auth(&reader).header("x-partitura-workspace", "beta")
    };
    Answer::of(other(Method::GET, "/v1/events")).await.expect(200);
    let write = other(Method::POST, "/v1/events").json(&json!({"type": "note.taken", "data": {}}));
    Answer::of(write).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_foreign_page_does_not_reach_a_server_without_keys() {
    let server = Server::start();
    for (header, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        let request = server.request(Method::POST, "/v1/sql").header(header, value).body("SELECT 1");
        Answer::of(request).await.expect_problem(403, "foreign_origin");
    }
    let own = server.request(Method::POST, "/v1/sql").header("origin", "http://localhost:3000").body("SELECT 1");
    Answer::of(own).await.expect(200);
}

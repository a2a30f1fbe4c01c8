//! OTLP/HTTP on a port of its own: the same exports under the same keys, and nothing else of the API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::clients::{expect_exported, python, run};
use crate::request::{JSON, TRACE, chat, traces};
use crate::server::Server;

async fn send(server: &Server, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut request = client.request(method, format!("{}{path}", server.listeners["otlp_http"]));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn it_takes_exports_and_nothing_else() {
    let server = Server::start_with(&["--otlp-http", "127.0.0.1:0"]);
    let body = traces("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let taken = send(&server, Method::POST, "/v1/traces", None, Some(&body)).await.expect(200);
    assert_eq!((taken.header("x-partitura-position"), &taken.json), ("1", &json!({})));
    send(&server, Method::POST, "/v1/logs", None, Some(&json!({"resourceLogs": []}))).await.expect(200);
    send(&server, Method::POST, "/v1/metrics", None, Some(&json!({}))).await.expect(200);
    send(&server, Method::GET, "/healthz", None, None).await.expect(200);
    server.post("/v1/traces", &body).await.expect(200);
    let rows = server.rows("SELECT count(*) AS n FROM events", 1).await;
    assert_eq!(rows, json!([{"n": 1}]), "it is the same record through either port");
    for (method, path) in
        [(Method::POST, "/v1/sql"), (Method::GET, "/openapi.json"), (Method::POST, "/mcp"), (Method::GET, "/metrics")]
    {
        let refused = send(&server, method, path, None, Some(&json!({}))).await.expect_problem(404, "unknown_route");
        let hint = refused.json["hint"].as_str().expect("a hint");
        assert!(hint.contains("/v1/traces") && hint.contains("--http"), "{path}: {hint}");
    }
    send(&server, Method::GET, "/v1/traces", None, None).await.expect_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn it_asks_for_keys_as_the_other_does() {
    let server = Server::start_with(&["--otlp-http", "127.0.0.1:0"]);
    let keys = json!({"workspace": "w", "scopes": ["ingest", "read", "act", "admin"], "server": true});
    let key = server.post("/v1/keys", &keys).await.expect(201).json["key"].as_str().expect("a key").to_owned();
    let body = traces("app", &[chat(TRACE, "00f067aa0ba902b7")]);
    let refused = send(&server, Method::POST, "/v1/traces", None, Some(&body)).await.expect(401);
    assert_eq!((refused.header("content-type"), &refused.json["code"]), (JSON, &json!(16)));
    send(&server, Method::POST, "/v1/traces", Some(&key), Some(&body)).await.expect(200);
    send(&server, Method::GET, "/healthz", None, None).await.expect(200);
}

#[tokio::test]
async fn exporters_send_to_it() {
    let server = Server::start_with(&["--otlp-http", "127.0.0.1:0"]);
    run(&mut python("http", &server.listeners["otlp_http"], "gzip"));
    expect_exported(&server, "second port").await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_before_anything_is_opened() {
    let server = Server::start_with(&["--otlp-http", "127.0.0.1:0"]);
    let temp = tempfile::TempDir::new().expect("a folder");
    let address = server.listeners["otlp_http"].trim_start_matches("http://");
    let said = Server::try_start_in(temp.path(), &["--otlp-http", address]).err().expect("it does not start");
    assert!(said.contains("in use") && said.contains("--otlp-http off"), "{said}");
}

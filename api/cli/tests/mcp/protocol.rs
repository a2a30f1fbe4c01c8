//! `/mcp` without a client's help: both eras by hand, who is let in, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

fn post(server: &Server, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let request = server.request(Method::POST, "/mcp").header("content-type", "application/json");
    request.header("accept", "application/json, text/event-stream").body(body)
}

fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// A request of the era without a handshake, with the headers that repeat its body.
fn stateless(server: &Server, method: &str, mut params: Value) -> reqwest::RequestBuilder {
    params["_meta"] = meta();
    let request = post(server, message(method, params.clone()).to_string());
    let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
    match params["name"].as_str() {
        Some(name) => request.header("mcp-name", name),
        None => request,
    }
}

fn meta() -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "hand", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}, "traceparent": TRACE})
}

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn both_eras_are_spoken() {
    let server = Server::start();
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}});
    let hello = Answer::of(post(&server, message("initialize", hello).to_string())).await.expect(200).json;
    assert_eq!(hello["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(hello["result"]["serverInfo"]["name"], "partitura");
    assert!(hello["result"]["instructions"].as_str().is_some_and(|text| text.contains("get_context")), "{hello}");
    let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    let done = Answer::of(post(&server, done).header("mcp-protocol-version", "2025-11-25")).await.expect(202);
    assert_eq!(done.header("mcp-session-id"), "", "no session is kept");
    let found = Answer::of(stateless(&server, "server/discover", json!({}))).await.expect(200).json;
    let versions = found["result"]["supportedVersions"].as_array().expect("versions").clone();
    assert!(versions.contains(&json!("2025-11-25")) && versions.contains(&json!("2026-07-28")), "{versions:?}");
    let list = Answer::of(stateless(&server, "tools/list", json!({}))).await.expect(200).json;
    assert_eq!((&list["result"]["resultType"], &list["result"]["cacheScope"]), (&json!("complete"), &json!("public")));
    assert!(list["result"]["ttlMs"].as_u64() > Some(0), "{}", list["result"]["ttlMs"]);
}

#[tokio::test]
async fn calls_carry_their_trace_and_exact_numbers() {
    let server = Server::start();
    let call =
        json!({"name": "record_interaction", "arguments": {"interaction_id": "i", "kind": "llm", "cost": "COST"}});
    let mut params = call;
    params["_meta"] = meta();
    // More digits than a float has.
    let body = message("tools/call", params).to_string().replace("\"COST\"", "0.12345678901234567");
    let request = post(&server, body).header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/call");
    let answer = Answer::of(request.header("mcp-name", "record_interaction")).await.expect(200).json;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let rows = server.rows("SELECT traceparent, data FROM events", 1).await;
    assert_eq!(rows[0]["traceparent"], TRACE, "{rows}");
    assert!(rows[0]["data"].as_str().is_some_and(|data| data.contains("0.12345678901234567")), "{rows}");
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let server = Server::start();
    for (body, status, code) in [
        ("{", 400, -32700),
        ("[]", 422, -32602),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", 400, -32700),
        (&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)), 400, -32700),
    ] {
        let answer = Answer::of(post(&server, body.to_owned())).await;
        assert_eq!(
            (answer.status, &answer.json["error"]["code"]),
            (status, &json!(code)),
            "{body:.80}: {}",
            answer.text
        );
        assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    }
    let unknown = Answer::of(post(&server, message("tools/smile", json!({})).to_string())).await;
    assert_eq!(unknown.json["error"]["code"], -32601, "{}", unknown.text);
    let listed = message("tools/call", json!({"name": "query_sql", "arguments": [1]}));
    let listed = Answer::of(post(&server, listed.to_string())).await;
    assert!(listed.json["error"]["code"].is_i64() || listed.status == 415, "{}", listed.text);
    let big = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"{}\"}}", "a".repeat(9 << 20));
    Answer::of(post(&server, big)).await.expect_problem(413, "body_too_large");
    for method in [Method::GET, Method::DELETE] {
        let request = server.request(method, "/mcp").header("accept", "text/event-stream");
        let answer = Answer::of(request).await.expect(405);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text);
    }
    let mismatch = message("tools/list", json!({"_meta": meta()})).to_string();
    let mismatch =
        post(&server, mismatch).header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/call");
    let mismatch = Answer::of(mismatch).await.expect(400);
    assert!(mismatch.json["error"]["code"].is_i64(), "the refusal is in the protocol's own words: {}", mismatch.text);
    let old = post(&server, message("tools/list", json!({})).to_string()).header("mcp-protocol-version", "1999-01-01");
    Answer::of(old).await.expect(400);
    server.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn foreign_pages_and_strangers_stay_out() {
    let server = Server::start();
    let ping = || post(&server, message("ping", json!({})).to_string());
    for (header, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        Answer::of(ping().header(header, value)).await.expect_problem(403, "foreign_origin");
    }
    let own = Answer::of(ping().header("origin", "http://localhost:6274")).await.expect(200);
    assert_eq!(own.header("access-control-allow-origin"), "http://localhost:6274");
    let asks = server.request(Method::OPTIONS, "/mcp").header("origin", "http://localhost:6274");
    let allowed = Answer::of(asks.header("access-control-request-method", "POST")).await.expect(204);
    assert!(allowed.header("access-control-allow-headers").contains("mcp-protocol-version"), "{:?}", allowed.headers);
    let key = json!({"workspace": "root", "scopes": ["admin"], "server": true});
    let key = server.post("/v1/keys", &key).await.expect(201).json["key"].as_str().expect("a key").to_owned();
    let stranger = Answer::of(ping()).await.expect_problem(401, "key_needed");
    assert!(stranger.header("www-authenticate").starts_with("Bearer"), "{:?}", stranger.headers);
    Answer::of(ping().bearer_auth("pt_wrong_key")).await.expect(401);
    Answer::of(ping().bearer_auth(&key)).await.expect(200);
    Answer::of(ping().header("x-api-key", &key)).await.expect(200);
}

#[tokio::test]
async fn a_public_address_asks_for_the_origin_too() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let make = ["keys", "create", "--scopes", "read", "--data", folder.to_str().expect("a path"), "--format", "json"];
    let made = crate::server::run(&make);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let key = made[0]["key"].as_str().or(made["key"].as_str()).expect("a key").to_owned();
    let server = Server::start_in(&folder, &["--http", "0.0.0.0:0"]);
    let url = server.url.replace("0.0.0.0", "127.0.0.1");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ping = |origin: &str| {
        let request = http.post(format!("{url}/mcp")).bearer_auth(&key).header("origin", origin);
        let request =
            request.header("content-type", "application/json").header("accept", "application/json, text/event-stream");
        request.body(message("ping", json!({})).to_string())
    };
    Answer::of(ping("https://evil.example")).await.expect_problem(403, "foreign_origin");
    Answer::of(ping("http://localhost:1")).await.expect(200);
}

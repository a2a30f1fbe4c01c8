//! Makes keys over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

/// Makes a key; `by` is the key of who makes it, none before the first one.
pub async fn key(server: &Server, by: Option<&str>, workspace: &str, scopes: &[&str], more: Value) -> String {
    let mut body = json!({"workspace": workspace, "scopes": scopes});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let mut request = server.request(Method::POST, "/v1/keys").json(&body);
    if let Some(by) = by {
        request = request.bearer_auth(by);
    }
    let made = Answer::of(request).await.expect(201);
    made.json["key"].as_str().expect("the key's text").to_owned()
}

//! `/openapi.json`: it says what the router serves, and the server answers as it says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

async fn document(server: &Server) -> Value {
    server.get("/openapi.json").await.expect(200).json
}

/// Calls `see` with method, path and operation of each route.
fn operations(document: &Value) -> Vec<(Method, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            (method, path.clone(), operation)
        })
    });
    all.collect()
}

#[tokio::test]
async fn it_lists_what_the_router_serves() {
    let served: BTreeSet<(String, String)> = partitura_http::route_list().into_iter().collect();
    let server = Server::start();
    let document = document(&server).await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let described: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method.as_str().to_lowercase(), path)).collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn it_is_whole() {
    let server = Server::start();
    let document = document(&server).await;
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(id.to_owned()), "{id} is there twice");
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{method} {path} says what it does"
        );
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let declared = parameters.iter().any(|p| p["name"] == name && p["in"] == "path" && p["required"] == true);
            assert!(declared, "{method} {path}: {{{name}}} is described");
        }
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(problem, "#/components/schemas/Problem", "{method} {path}");
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_server_answers_as_it_says() {
    let server = Server::start();
    let document = document(&server).await;
    let task = json!({"type": "task.created", "source": "s", "id": "1", "data": {"task_id": "x", "title": "T"}});
    let note = json!({"type": "knowledge.noted", "source": "s", "id": "2", "data": {"knowledge_id": "x", "text": "T"}});
    let written = server.post("/v1/events", &json!([task, note])).await.expect(201);
    server.rows("SELECT 1 AS one FROM tasks", written.json["position"].as_u64().expect("a position")).await;
    let mut fine = 0;
    for (method, pattern, operation) in operations(&document) {
        if ["/v1/events/stream", "/v1/sql/live"].contains(&pattern.as_str()) {
            continue;
        }
        let path = pattern.replace("{id}", "x").replace("{name}", "tasks").replace("{type}", "task.created");
        let right = match pattern.as_str() {
            "/v1/sql" | "/api/v3/query_sql" => json!({"sql": "SELECT 1 AS one"}),
            "/v1/search" | "/v1/context" => json!({"query": "T"}),
            "/v1/knowledge" => json!({"text": "T"}),
            "/v1/events" => json!({"type": "note.taken", "data": {}}),
            "/v1/knowledge/{id}/supersede" => json!({"by": "y"}),
            "/v1/subscriptions" => json!({"name": "tasks"}),
            "/v1/subscriptions/{name}/ack" | "/v1/subscriptions/{name}/nack" => json!({"deliveries": ["x"]}),
            "/v1/subscriptions/{name}/reset" => json!({"to": "now"}),
            "/api/public/scores" => json!([]),
            "/api/public/ingestion" => json!({"batch": []}),
            "/v1/traces/ingest" | "/v1/span_annotations" | "/v1/trace_annotations" | "/v1/session_annotations" => {
                json!({"data": []})
            }
            "/v1/backup" => json!({"to": server.folder.with_extension("copy")}),
            // It would end the openness of this server for the rest.
            "/v1/keys" => json!({"scopes": ["nothing"]}),
            _ => json!({}),
        };
        let wrong = [json!({"no_such_field": 1}), json!([1]), Value::Null];
        let bodies = if method == Method::POST { [&[right][..], &wrong].concat() } else { vec![Value::Null] };
        let suffix = if pattern == "/v1/suggest" { "?q=t" } else { "" };
        for (n, body) in bodies.iter().enumerate() {
            let mut request = server.request(method.clone(), &format!("{path}{suffix}"));
            if !body.is_null() {
                request = request.json(body);
            }
            let answer = Answer::of(request).await;
            assert!(answer.status < 500 || answer.status == 503, "{method} {path} {body}: {}", answer.text);
            let told = &operation["responses"];
            let told = told.get(answer.status.to_string()).unwrap_or(&told["default"]);
            let media = answer.header("content-type").split(';').next().unwrap_or_default();
            let described =
                told["content"].get(media).is_some() || (answer.text.is_empty() && told["content"].is_null());
            assert!(described, "{method} {path} {body}: {} {media} is described: {told}", answer.status);
            fine += usize::from(n == 0 && answer.status < 300);
        }
    }
    assert!(fine > 20, "{fine} routes were asked well");
}

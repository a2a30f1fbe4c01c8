//! Langfuse's SDK in its three living major versions: the same program, the same rows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::sdk::{key, named, rows, run};
use crate::server::Server;

const CALLS: &str = "SELECT interaction_id AS id, parent_id AS parent, kind, agent_id, tool_name, model, conversation_id, user_id, \
    tokens_in, tokens_out, cost, input, output, attributes ->> 'convention' AS convention FROM interactions ORDER BY started_at";
const OUTCOMES: &str = "SELECT o.name, o.value, o.label, o.success, o.evaluator, o.interaction_id, o.trace_id, \
    o.conversation_id, o.explanation FROM outcomes AS o ORDER BY o.name";

fn call(id: &str, parent: Value, kind: &str, more: &Value) -> Value {
    let mut row = json!({
        "id": format!("TRACE-{id}"), "parent": parent, "kind": kind, "agent_id": "support", "tool_name": null, "model": null,
        "conversation_id": "thread-9", "user_id": "ada", "tokens_in": null, "tokens_out": null, "cost": null,
        "convention": "langfuse",
    });
    more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
    row
}

fn outcome(name: &str, evaluator: &str, more: &Value) -> Value {
    let mut row = json!({
        "name": name, "value": null, "label": null, "success": null, "evaluator": evaluator, "interaction_id": null,
        "trace_id": null, "conversation_id": null, "explanation": null,
    });
    more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
    row
}

async fn told_by(variable: &str) -> (Value, Value) {
    let server = Server::start();
    let key = key(&server).await;
    let lines = run(variable, "langfuse_client.py", &[&server.url, &key]);
    assert_eq!(lines[0], json!({"auth": true}), "{variable}");
    let ids = &lines[1];
    let mut calls = named(&rows(&server, &key, CALLS).await, ids);
    for row in calls.as_array_mut().expect("rows") {
        if let Some(cost) = row["cost"].as_str() {
            row["cost"] = json!(cost.trim_end_matches('0'));
        }
    }
    let outcomes = named(&rows(&server, &key, OUTCOMES).await, ids);
    let joined =
        "SELECT o.name, i.kind FROM outcomes AS o JOIN interactions AS i USING (interaction_id) ORDER BY o.name";
    let expected = json!([{"name": "solved", "kind": "agent"}, {"name": "tone", "kind": "llm"}]);
    assert_eq!(rows(&server, &key, joined).await, expected, "{variable}");
    let of_trace = "SELECT count(*) AS n FROM outcomes AS o JOIN interactions AS i ON o.trace_id = i.trace_id";
    assert_eq!(rows(&server, &key, of_trace).await, json!([{"n": 3}]), "{variable}");
    let health = Answer::of(server.request(Method::GET, "/v1/ingest/health").bearer_auth(&key)).await.expect(200);
    assert_eq!(health.json["refused_since_start"], json!({}), "{variable}");
    (calls, outcomes)
}

#[tokio::test]
async fn every_version_tells_the_same() {
    let calls = json!([
        call("ROOT", Value::Null, "agent", &json!({"input": "{\"question\":\"Why?\"}", "output": "Because."})),
        call(
            "CALL",
            json!("TRACE-ROOT"),
            "llm",
            &json!({"model": "gpt-4o", "tokens_in": 12, "tokens_out": 3, "cost": "0.75", "input": "Why?", "output": "Because."})
        ),
        call(
            "TOOL",
            json!("TRACE-ROOT"),
            "tool",
            &json!({"tool_name": "lookup", "input": "{\"id\":7}", "output": "found"})
        ),
    ]);
    let outcomes = json!([
        outcome("mood", "code", &json!({"value": 4.0, "conversation_id": "thread-9"})),
        outcome("solved", "human", &json!({"success": true, "interaction_id": "TRACE-ROOT"})),
        outcome("tone", "code", &json!({"value": 0.75, "interaction_id": "TRACE-CALL", "explanation": "Friendly."})),
        outcome("verdict", "code", &json!({"label": "good", "trace_id": "TRACE"})),
    ]);
    for variable in ["PARTITURA_LANGFUSE3_PYTHON", "PARTITURA_LANGFUSE4_PYTHON", "PARTITURA_LANGFUSE5_PYTHON"] {
        let (told, judged) = told_by(variable).await;
        assert_eq!(told, calls, "{variable}");
        assert_eq!(judged, outcomes, "{variable}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_told() {
    let server = Server::start();
    let key = key(&server).await;
    let ask = |secret: &str| {
        server.request(Method::GET, "/api/public/projects").basic_auth("pk-lf-team", Some(secret.to_owned()))
    };
    Answer::of(ask("sk-lf-wrong")).await.expect_problem(401, "invalid_key");
    let project = Answer::of(ask(&key)).await.expect(200).json["data"][0].clone();
    assert_eq!((&project["id"], &project["organization"]["name"]), (&json!("team"), &json!("Partitura")));
    let health = server.get("/api/public/health").await.expect(200).json;
    assert_eq!(health["status"], "OK", "without a key: {health}");
    // Prompts are not kept here; SDKs fall back to their own when they are told so.
    Answer::of(server.request(Method::GET, "/api/public/v2/prompts/greeting"))
        .await
        .expect_problem(404, "unknown_route");
}

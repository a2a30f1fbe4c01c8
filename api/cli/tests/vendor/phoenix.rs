//! Phoenix's clients: traces by `register` over HTTP and gRPC, annotations of spans, traces and sessions.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::sdk::{key, named, rows, run};
use crate::server::Server;

const CALLS: &str = "SELECT interaction_id AS id, parent_id AS parent, kind, model, tokens_in, tokens_out, conversation_id, \
    attributes ->> 'convention' AS convention FROM interactions ORDER BY started_at";
const OUTCOMES: &str = "SELECT name, value, label, evaluator, evaluator_id, interaction_id, trace_id, explanation \
    FROM outcomes ORDER BY name";

#[tokio::test]
async fn register_traces_and_annotations_join() {
    for protocol in ["http/protobuf", "grpc"] {
        let server = Server::start_with(&["--otlp-grpc", "127.0.0.1:0"]);
        let key = key(&server).await;
        let endpoint = match protocol {
            "grpc" => server.listeners["otlp_grpc"].clone(),
            _ => format!("{}/v1/traces", server.url),
        };
        let lines = run("PARTITURA_PHOENIX_PYTHON", "phoenix_client.py", &[&server.url, &key, protocol, &endpoint]);
        assert!(lines[1]["id"].as_str().is_some_and(|id| id.len() == 32), "{protocol}: {lines:?}");
        let call = |id: &str, parent: Value, kind: &str, model: Value, tokens: [Value; 2], thread: Value| {
            json!({"id": format!("TRACE-{id}"), "parent": parent, "kind": kind, "model": model, "tokens_in": tokens[0],
                "tokens_out": tokens[1], "conversation_id": thread, "convention": "openinference"})
        };
        let calls = json!([
            call("ROOT", Value::Null, "agent", Value::Null, [Value::Null, Value::Null], json!("thread-9")),
            call("CALL", json!("TRACE-ROOT"), "llm", json!("gpt-4o"), [json!(12), json!(3)], Value::Null),
        ]);
        assert_eq!(named(&rows(&server, &key, CALLS).await, &lines[0]), calls, "{protocol}");
        let outcome = |name: &str, value: Value, label: Value, evaluator: &str, call: Value, trace: Value| {
            json!({"name": name, "value": value, "label": label, "evaluator": evaluator, "evaluator_id": null,
                "interaction_id": call, "trace_id": trace, "explanation": null})
        };
        let mut tone = outcome("tone", json!(0.75), json!("good"), "model", json!("TRACE-CALL"), Value::Null);
        tone["evaluator_id"] = json!("judge-1");
        tone["explanation"] = json!("Friendly.");
        let outcomes = json!([
            outcome("solved", json!(1.0), Value::Null, "human", json!("TRACE-ROOT"), Value::Null),
            tone,
            outcome("verdict", Value::Null, json!("good"), "code", Value::Null, json!("TRACE")),
        ]);
        assert_eq!(named(&rows(&server, &key, OUTCOMES).await, &lines[0]), outcomes, "{protocol}");
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn annotate(server: &Server, of: &str, data: &Value) -> Answer {
    server.post(&format!("/v1/{of}_annotations?sync=true"), &json!({"data": data})).await
}

#[tokio::test]
async fn annotations_are_stored_together_or_not_at_all() {
    let server = Server::start();
    let span = json!({"traceId": TRACE, "spanId": "00f067aa0ba902b7", "name": "chat", "endTimeUnixNano": "1767607200000000000",
        "attributes": [{"key": "openinference.span.kind", "value": {"stringValue": "LLM"}}]});
    let known = |result: Value| json!({"span_id": "00f067aa0ba902b7", "name": "tone", "annotator_kind": "HUMAN", "result": result});
    let unknown =
        json!({"span_id": "00f067aa0ba902b8", "name": "tone", "annotator_kind": "HUMAN", "result": {"score": 1}});
    let early =
        annotate(&server, "span", &json!([known(json!({"score": 1}))])).await.expect_problem(404, "unknown_span");
    assert!(early.json["hint"].as_str().is_some_and(|hint| hint.contains("export the span first")), "{}", early.text);
    server.post("/v1/traces", &json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})).await.expect(200);
    annotate(&server, "span", &json!([known(json!({"score": 1})), unknown])).await.expect_problem(404, "unknown_span");
    let first = annotate(&server, "span", &json!([known(json!({"score": 1}))])).await.expect(200).json;
    let again = annotate(&server, "span", &json!([known(json!({"score": 1}))])).await.expect(200).json;
    let other = annotate(&server, "span", &json!([known(json!({"score": 0, "label": "bad"}))])).await.expect(200).json;
    assert_eq!((&first, &first), (&again, &other), "an annotation is known by span, name and identifier");
    let session =
        json!([{"session_id": "thread-9", "name": "mood", "annotator_kind": "LLM", "result": {"explanation": "calm"}}]);
    annotate(&server, "session", &session).await.expect(200);
    let sql = "SELECT o.name, o.value, o.label, o.interaction_id, o.conversation_id FROM outcomes AS o WHERE NOT EXISTS \
        (SELECT 1 FROM outcome_supersessions AS s WHERE s.outcome_id = o.outcome_id) ORDER BY o.name";
    let expected = json!([
        {"name": "mood", "value": null, "label": "note", "interaction_id": null, "conversation_id": "thread-9"},
        {"name": "tone", "value": 0.0, "label": "bad", "interaction_id": format!("{TRACE}-00f067aa0ba902b7"), "conversation_id": null},
    ]);
    let head = server.get("/readyz").await.expect(200).json["head"].as_u64().expect("a position");
    assert_eq!(server.rows(sql, head).await, expected);
}

#[tokio::test]
async fn wrong_annotations_are_refused_and_said() {
    let server = Server::start();
    let right = json!({"trace_id": TRACE, "name": "n", "annotator_kind": "HUMAN", "result": {"score": 1}});
    for (member, value, says) in [
        ("trace_id", Value::Null, "trace_id"),
        ("name", json!(""), "name"),
        ("annotator_kind", json!("ROBOT"), "HUMAN, CODE, LLM"),
        ("result", json!({}), "result"),
        ("result", json!({"score": "high"}), "no number"),
        ("result", json!(7), "struct"),
    ] {
        let mut wrong = right.clone();
        wrong[member] = value;
        let refused = annotate(&server, "trace", &json!([right, wrong])).await;
        assert_eq!(refused.status, 422, "{member}: {}", refused.text);
        assert!(refused.json["detail"].as_str().is_some_and(|text| text.contains(says)), "{says}: {}", refused.text);
    }
    server.post("/v1/trace_annotations", &json!([right])).await.expect(400);
    server.post("/v1/trace_annotations?asynchronous=1", &json!({"data": []})).await.expect(422);
    assert_eq!(annotate(&server, "trace", &json!([])).await.expect(200).json, json!({"data": []}));
    assert_eq!(
        server.rows("SELECT count(*) AS n FROM outcomes", 0).await,
        json!([{"n": 0}]),
        "nothing of it is stored"
    );
}

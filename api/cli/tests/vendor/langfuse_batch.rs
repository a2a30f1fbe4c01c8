//! Batches of events as Langfuse's SDKs sent them before they spoke OpenTelemetry, and as many tools still do.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

const TRACE: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
const TRACE_HEX: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn post(server: &Server, events: &[Value]) -> Answer {
    server.post("/api/public/ingestion", &json!({"batch": events, "metadata": {"sdk_name": "python"}})).await
}

async fn rows(server: &Server, sql: &str) -> Value {
    let head = server.get("/readyz").await.expect(200).json["head"].as_u64().expect("a position");
    server.rows(sql, head).await
}

fn event(id: &str, kind: &str, body: &Value) -> Value {
    json!({"id": id, "type": kind, "timestamp": "2026-01-05T10:00:00.000Z", "body": body})
}

/// A trace with a generation that is told in two events, a failed tool, an event and a score of each.
fn story() -> Vec<Value> {
    vec![
        event(
            "1",
            "trace-create",
            &json!({"id": TRACE, "name": "support", "userId": "ada", "sessionId": "thread-9",
            "input": {"question": "Why?"}, "output": "Because.", "tags": ["a"], "metadata": {"plan": "pro"}, "timestamp": "2026-01-05T10:00:00.000Z"}),
        ),
        event(
            "2",
            "generation-create",
            &json!({"id": "gen-1", "traceId": TRACE, "name": "answer", "model": "gpt-4o",
            "startTime": "2026-01-05T10:00:01.000Z", "input": [{"role": "user", "content": "Why?"}], "modelParameters": {"temperature": 0.2}}),
        ),
        event(
            "3",
            "generation-update",
            &json!({"id": "gen-1", "traceId": TRACE, "output": "Because.", "endTime": "2026-01-05T10:00:03.500Z",
            "usage": {"input": 12, "output": 3, "total": 15, "unit": "TOKENS", "totalCost": 0.75}}),
        ),
        event(
            "4",
            "span-create",
            &json!({"id": "00f067aa0ba902b7", "traceId": TRACE, "parentObservationId": "gen-1", "name": "lookup",
            "startTime": "2026-01-05T10:00:02.000Z", "endTime": "2026-01-05T10:00:02.250Z", "level": "ERROR", "statusMessage": "not found"}),
        ),
        event(
            "5",
            "event-create",
            &json!({"id": "e-1", "traceId": TRACE, "name": "cache miss", "startTime": "2026-01-05T10:00:01.500Z"}),
        ),
        event(
            "6",
            "score-create",
            &json!({"id": "s-1", "traceId": TRACE, "observationId": "gen-1", "name": "tone", "value": 0.75, "dataType": "NUMERIC"}),
        ),
        event("7", "score-create", &json!({"id": "s-2", "traceId": TRACE, "name": "verdict", "value": "good"})),
        event("8", "sdk-log", &json!({"log": "flushed"})),
    ]
}

const CALLS: &str = "SELECT kind, attributes ->> 'name' AS name, trace_id, conversation_id, user_id, model, tokens_in, tokens_out, \
    cost, latency_ms, status, error, input, output, parent_id IS NOT NULL AS has_parent FROM interactions ORDER BY started_at";
const JUDGED: &str = "SELECT o.name, i.kind, i.model FROM outcomes AS o JOIN interactions AS i USING (interaction_id)";
const JUDGED_TRACE: &str =
    "SELECT DISTINCT o.name, o.label FROM outcomes AS o JOIN interactions AS i ON o.trace_id = i.trace_id";

fn call(kind: &str, name: &str, more: &Value) -> Value {
    let mut row = json!({"kind": kind, "name": name, "trace_id": TRACE_HEX, "conversation_id": "thread-9", "user_id": "ada",
        "model": null, "tokens_in": null, "tokens_out": null, "cost": null, "latency_ms": null, "status": "ok", "error": null,
        "input": null, "output": null, "has_parent": false});
    more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
    row
}

fn told() -> Value {
    json!([
        call("workflow", "support", &json!({"input": "{\"question\":\"Why?\"}", "output": "Because."})),
        call(
            "llm",
            "answer",
            &json!({"model": "gpt-4o", "tokens_in": 12, "tokens_out": 3, "cost": "0.75", "latency_ms": 2_500.0, "input": "Why?", "output": "Because."})
        ),
        call("workflow", "cache miss", &json!({"latency_ms": 0.0})),
        call(
            "workflow",
            "lookup",
            &json!({"latency_ms": 250.0, "status": "error", "error": "not found", "has_parent": true})
        ),
    ])
}

async fn calls(server: &Server) -> Value {
    let mut rows = rows(server, CALLS).await;
    for row in rows.as_array_mut().expect("rows") {
        if let Some(cost) = row["cost"].as_str() {
            row["cost"] = json!(cost.trim_end_matches('0'));
        }
    }
    rows
}

#[tokio::test]
async fn a_batch_becomes_calls_and_outcomes_once() {
    let server = Server::start();
    let taken = post(&server, &story()).await.expect(207);
    let successes: Vec<_> = (1..=8).map(|n| json!({"id": n.to_string(), "status": 201})).collect();
    assert_eq!(taken.json, json!({"successes": successes, "errors": []}));
    assert_eq!(calls(&server).await, told());
    assert_eq!(rows(&server, JUDGED).await, json!([{"name": "tone", "kind": "llm", "model": "gpt-4o"}]));
    assert_eq!(rows(&server, JUDGED_TRACE).await, json!([{"name": "verdict", "label": "good"}]));
    let before = rows(&server, "SELECT count(*) AS n FROM events").await;
    post(&server, &story()).await.expect(207);
    assert_eq!(rows(&server, "SELECT count(*) AS n FROM events").await, before, "sent again it is stored once");
    let health = server.get("/v1/ingest/health").await.expect(200).json;
    assert_eq!(health["sources"][0]["source"], "langfuse", "{health}");
}

#[tokio::test]
async fn the_order_of_batches_does_not_matter() {
    let (mut first, mut last) = (None, None);
    for reverse in [false, true] {
        let server = Server::start();
        let mut events = story();
        // What a trace says of its calls is in the same batch with each.
        let trace = events.remove(0);
        if reverse {
            events.reverse();
        }
        for event in events {
            post(&server, &[trace.clone(), event]).await.expect(207);
        }
        let found = (calls(&server).await, rows(&server, JUDGED).await, rows(&server, JUDGED_TRACE).await);
        assert_eq!(found.0, told(), "reverse: {reverse}");
        *if reverse { &mut last } else { &mut first } = Some(found);
    }
    assert_eq!(first, last);
}

#[tokio::test]
async fn bad_events_are_answered_and_good_ones_are_kept() {
    let server = Server::start();
    let events = [
        event("a", "span-creat", &json!({"id": "x"})),
        event("b", "trace-create", &json!({"name": "no id"})),
        event("c", "span-create", &json!({"id": "x", "startTime": "yesterday"})),
        event("d", "generation-create", &json!({"id": "x", "usage": "many"})),
        event("e", "score-create", &json!({"name": "n"})),
        json!({"id": "f", "type": "span-create"}),
        json!(7),
        event(
            "g",
            "span-create",
            &json!({"id": "good", "name": "with a \u{0} in it", "input": "a\u{0}b", "startTime": "2026-01-05T10:00:00Z", "endTime": "2026-01-05T10:00:01Z"}),
        ),
    ];
    let taken = post(&server, &events).await.expect(207);
    assert_eq!(taken.json["successes"], json!([{"id": "g", "status": 201}]));
    let errors = taken.json["errors"].as_array().expect("errors");
    let says = ["span-create", "body.id", "time", "map", "traceId", "body", "struct"];
    assert_eq!(errors.len(), says.len());
    for (error, says) in errors.iter().zip(says) {
        let message = error["message"].as_str().expect("a message");
        assert!(error["status"] == 400 && message.contains(says), "{error} should say {says}");
    }
    let kept = rows(&server, "SELECT input, latency_ms FROM interactions").await;
    assert_eq!(kept, json!([{"input": "a\u{FFFD}b", "latency_ms": 1_000.0}]));
    let health = server.get("/v1/ingest/health").await.expect(200).json;
    assert_eq!(health["refused_since_start"]["langfuse.ingestion"]["unknown_type"], 1, "{health}");
    for body in ["", "[]", "{\"batch\": 1}", "{}"] {
        server.post_bytes("/api/public/ingestion", "application/json", body).await.expect(400);
    }
    assert_eq!(post(&server, &[]).await.expect(207).json, json!({"successes": [], "errors": []}));
}

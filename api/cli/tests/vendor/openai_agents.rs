//! OpenAI's Agents SDK: its exporter with another address.

use serde_json::{Value, json};

use crate::sdk::{key, rows, run};
use crate::server::Server;

const CALLS: &str = "SELECT i.kind, i.attributes ->> 'name' AS name, p.attributes ->> 'name' AS parent, i.agent_id, i.conversation_id, \
    i.provider, i.model, i.tool_name, i.tokens_in, i.tokens_out, i.tokens_cache_read AS cached, i.input, i.output, i.status, i.error \
    FROM interactions AS i LEFT JOIN interactions AS p ON i.parent_id = p.interaction_id ORDER BY i.kind, name";

fn call(kind: &str, name: &str, more: &Value) -> Value {
    let mut row = json!({"kind": kind, "name": name, "parent": "agent Planner", "agent_id": "Planner", "conversation_id": "thread-9",
        "provider": null, "model": null, "tool_name": null, "tokens_in": null, "tokens_out": null, "cached": null, "input": null,
        "output": null, "status": "ok", "error": null});
    more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
    row
}

#[tokio::test]
async fn its_spans_become_calls() {
    let server = Server::start();
    let key = key(&server).await;
    let lines = run("PARTITURA_OPENAI_AGENTS_PYTHON", "agents_client.py", &[&server.url, &key]);
    let trace = lines[0]["TRACE"].as_str().expect("an id").trim_start_matches("trace_").to_owned();
    let expected = json!([
        call("agent", "agent Planner", &json!({"parent": null})),
        call(
            "llm",
            "generation",
            &json!({"provider": "openai", "model": "gpt-4o", "tokens_in": 12, "tokens_out": 3, "cached": 4, "input": "Why?", "output": "Because."})
        ),
        call(
            "tool",
            "function lookup",
            &json!({"tool_name": "lookup", "input": "{\"id\":7}", "output": "found", "status": "error", "error": "not found"})
        ),
        call("workflow", "Support", &json!({"parent": null, "agent_id": null})),
        call("workflow", "custom note", &json!({})),
        call("workflow", "guardrail polite", &json!({})),
        call("workflow", "handoff", &json!({})),
    ]);
    assert_eq!(rows(&server, &key, CALLS).await, expected);
    let traces = rows(&server, &key, "SELECT DISTINCT trace_id FROM interactions").await;
    assert_eq!(traces, json!([{"trace_id": trace}]));
    let kept = "SELECT attributes ->> 'openai.agents.to_agent' AS to_agent FROM interactions WHERE attributes ->> 'name' = 'handoff'";
    assert_eq!(rows(&server, &key, kept).await, json!([{"to_agent": "Writer"}]));
    let health = server.request(reqwest::Method::GET, "/v1/ingest/health").bearer_auth(&key);
    let health = crate::answer::Answer::of(health).await.expect(200).json;
    assert_eq!((&health["sources"][0]["source"], &health["sources"][0]["items"]), (&json!("openai-agents"), &json!(7)));
}

fn span(id: &str, data: &Value) -> Value {
    json!({"object": "trace.span", "id": id, "trace_id": "trace_4bf92f3577b34da6a3ce929d0e0e4736", "parent_id": null,
        "started_at": "2026-01-05T10:00:00.000000+00:00", "ended_at": "2026-01-05T10:00:01.500000+00:00", "span_data": data, "error": null})
}

#[tokio::test]
async fn every_sort_of_span_is_read_and_bad_ones_are_said() {
    let server = Server::start();
    let usage = json!({"input_tokens": 10, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 2}});
    let good = [
        span("span_1", &json!({"type": "response", "response_id": "resp_1", "usage": usage})),
        span("span_2", &json!({"type": "custom", "name": "task", "data": {"sdk_span_type": "task", "usage": usage}})),
        span(
            "span_3",
            &json!({"type": "transcription", "input": {"data": "", "format": "pcm"}, "output": "hello", "model": "whisper-1"}),
        ),
        span("span_4", &json!({"type": "mcp_tools", "server": "files", "result": ["read"]})),
        json!({"object": "trace", "id": "trace_4bf92f3577b34da6a3ce929d0e0e4736", "workflow_name": "W", "group_id": null, "metadata": null}),
    ];
    let taken = server.post("/v1/traces/ingest", &json!({"data": good})).await.expect(200);
    assert_eq!(taken.json, json!({"accepted": 5, "rejected": 0, "errors": []}));
    server.post("/v1/traces/ingest", &json!({"data": good})).await.expect(200);
    let sql = "SELECT kind, model, tokens_in, tokens_out, tokens_reasoning AS r, latency_ms, output FROM interactions ORDER BY kind, model";
    let head = server.get("/readyz").await.expect(200).json["head"].as_u64().expect("a position");
    assert_eq!(head, 5, "what is sent again is stored once");
    let row = |kind: &str, model: Value, tokens: [Value; 3], latency: Value, output: Value| json!({"kind": kind, "model": model, "tokens_in": tokens[0], "tokens_out": tokens[1], "r": tokens[2], "latency_ms": latency, "output": output});
    let none = || [Value::Null, Value::Null, Value::Null];
    let expected = json!([
        row("llm", json!("whisper-1"), none(), json!(1_500.0), json!("hello")),
        row("llm", Value::Null, [json!(10), json!(4), json!(2)], json!(1_500.0), Value::Null),
        row("workflow", Value::Null, none(), json!(1_500.0), Value::Null),
        row("workflow", Value::Null, none(), json!(1_500.0), Value::Null),
        row("workflow", Value::Null, none(), Value::Null, Value::Null),
    ]);
    let mut rows = server.rows(sql, head).await;
    rows.as_array_mut()
        .expect("rows")
        .sort_by_key(|row| (row["kind"].to_string(), row["model"] == Value::Null, row["latency_ms"] == Value::Null));
    assert_eq!(rows, expected, "sums of tasks and turns count nowhere");
    let bad = [
        (json!({"object": "session", "id": "x"}), "object"),
        (json!({"object": "trace.span", "id": "x", "trace_id": "t"}), "span_data"),
        (json!({"object": "trace.span", "id": "x", "span_data": {"type": "agent"}}), "trace_id"),
        (json!({"object": "trace.span", "trace_id": "t", "span_data": {"type": "agent"}}), "id"),
        (span("y", &json!({"name": "no type"})), "type"),
        (json!(7), "struct"),
    ];
    for (item, says) in &bad {
        let refused = server.post("/v1/traces/ingest", &json!({"data": [item]})).await.expect(422);
        assert!(refused.json["detail"].as_str().is_some_and(|text| text.contains(says)), "{item}: {}", refused.text);
        let partly = server.post("/v1/traces/ingest", &json!({"data": [good[0], item]})).await.expect(207);
        assert_eq!(
            (&partly.json["accepted"], &partly.json["errors"][0]["item"]),
            (&json!(1), &json!(1)),
            "{}",
            partly.text
        );
    }
    for body in ["", "[]", "{}", "{\"data\": 1}"] {
        server.post_bytes("/v1/traces/ingest", "application/json", body).await.expect(400);
    }
}

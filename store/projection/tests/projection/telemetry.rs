//! Random OpenTelemetry data: few traces and spans, so that the same call is told of again and again, by spans
//! and by log events, in every convention, with clocks, parents and values of all sorts.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const BASE: u64 = 1_767_600_000_000_000_000;
const SERVICES: [&str; 5] = ["billing-agent", "claude-code", "codex_cli_rs", "gemini-cli", "copilot-chat"];
const TEXTS: [(&str, &[&str]); 28] = [
    ("gen_ai.operation.name", &["chat", "embeddings", "execute_tool", "invoke_agent", "unheard_of"]),
    ("gen_ai.request.model", &["gpt-4o", "claude-sonnet-4-5"]),
    ("gen_ai.system", &["openai"]),
    ("gen_ai.input.messages", &[r#"[{"role":"user","parts":[{"type":"text","content":"Why?"}]}]"#, "plain"]),
    ("gen_ai.prompt.0.content", &["What now?"]),
    ("gen_ai.completion.0.content", &["This."]),
    ("gen_ai.evaluation.name", &["helpfulness"]),
    ("gen_ai.tool.name", &["bash"]),
    ("openinference.span.kind", &["LLM", "TOOL", "AGENT", "CHAIN"]),
    ("llm.model_name", &["gpt-4o"]),
    ("langfuse.observation.type", &["generation", "span", "agent"]),
    ("langfuse.observation.usage_details", &[r#"{"input":3,"output":4,"total":7}"#, "broken"]),
    ("traceloop.span.kind", &["workflow", "tool"]),
    ("ai.operationId", &["ai.generateText", "ai.generateText.doGenerate"]),
    ("task.id", &["task-0", "TASK-1"]),
    ("agent.id", &["agent-0"]),
    ("session.id", &["conversation-0"]),
    ("request_id", &["req-0", "req-1"]),
    ("prompt.id", &["p-0"]),
    ("task.type", &["fix", "review"]),
    ("task.status", &["success", "failure", "unheard of"]),
    ("attempt.id", &["attempt-0"]),
    ("gen_ai.agent.id", &["agent-1"]),
    ("gen_ai.agent.name", &["agent-0", "Agent-2"]),
    ("gen_ai.handoff.to_agent", &["agent-2"]),
    ("crewai.task.id", &["task-2"]),
    ("tool_parameters", &[r#"{"git_commit_id":"c0ffee"}"#, "broken"]),
    ("event.kind", &["response.completed"]),
];
const NAMES: [&str; 3] = ["chat gpt-4o", "execute_tool bash", "step"];
const COUNTS: [&str; 6] = [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "llm.token_count.prompt",
    "input_tokens",
    "input_token_count",
];
const EVENTS: [&str; 9] = [
    "gen_ai.client.inference.operation.details",
    "gen_ai.user.message",
    "gen_ai.choice",
    "gen_ai.evaluation.result",
    "claude_code.api_request",
    "tool_result",
    "codex.sse_event",
    "gemini_cli.api_response",
    "unheard_of",
];

/// Makes part of an export request.
pub fn export(rng: &mut ChaCha8Rng) -> Value {
    let service = *SERVICES.choose(rng).expect("one");
    let resource = json!({"attributes": [attribute("service.name", json!({"stringValue": service}))]});
    let spans: Vec<_> = (0..rng.random_range(0..4)).map(|_| span(rng)).collect();
    let logs: Vec<_> = (0..rng.random_range(0..4)).map(|_| log(rng)).collect();
    json!({
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "lib"}, "spans": spans}]}],
        "resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": logs}]}],
        "resourceMetrics": [{"resource": resource, "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": metrics(rng)}]}],
    })
}

fn metrics(rng: &mut ChaCha8Rng) -> Vec<Value> {
    (0..rng.random_range(0..3))
        .map(|_| {
            let labels = [attribute("session.id", json!({"stringValue": "conversation-0"}))];
            let point = json!({
                "attributes": if rng.random_bool(0.5) { &labels[..] } else { &[] },
                "startTimeUnixNano": BASE.to_string(), "timeUnixNano": time(rng).to_string(),
                "asInt": rng.random_range(0..3).to_string(), "count": "3", "sum": 2.5, "bucketCounts": ["1", "2"],
                "explicitBounds": [1.0], "flags": u8::from(rng.random_bool(0.1)),
            });
            let kind = ["gauge", "sum", "histogram", "summary", "unheardOf"].choose(rng).expect("one");
            let name = ["claude_code.pull_request.count", "claude_code.token.usage", ""].choose(rng).expect("one");
            json!({"name": name, "unit": "1", *kind: {"dataPoints": [point], "aggregationTemporality": 1}})
        })
        .collect()
}

/// Makes a span.
pub fn span(rng: &mut ChaCha8Rng) -> Value {
    let start = time(rng);
    json!({
        "traceId": trace(rng), "spanId": id(rng), "parentSpanId": if rng.random_bool(0.5) { id(rng) } else { "".into() },
        "name": NAMES.choose(rng).expect("one"),
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": start.saturating_add(rng.random_range(0..3) * 1_000_000).to_string(),
        "attributes": attributes(rng),
        "events": [{"name": EVENTS.choose(rng).expect("one"), "attributes": attributes(rng)}],
        "status": {"code": rng.random_range(0..3), "message": ""},
    })
}

fn log(rng: &mut ChaCha8Rng) -> Value {
    let in_span = rng.random_bool(0.7);
    json!({
        "traceId": if in_span { trace(rng) } else { "".into() }, "spanId": if in_span { id(rng) } else { "".into() },
        "timeUnixNano": time(rng).to_string(), "eventName": EVENTS.choose(rng).expect("one"),
        "body": {"stringValue": format!("said {}", rng.random_range(0..3))}, "attributes": attributes(rng),
    })
}

fn attributes(rng: &mut ChaCha8Rng) -> Vec<Value> {
    let mut all = Vec::new();
    for (name, texts) in TEXTS {
        if rng.random_bool(0.2) {
            all.push(attribute(name, json!({"stringValue": texts.choose(rng).expect("one")})));
        }
    }
    for name in COUNTS {
        if rng.random_bool(0.3) {
            let count = rng.random_range(0..9);
            let forms = [json!({"intValue": count.to_string()}), json!({"stringValue": "x"}), json!({})];
            all.push(attribute(name, forms.choose(rng).expect("one").clone()));
        }
    }
    if rng.random_bool(0.2) {
        all.push(attribute("gen_ai.evaluation.score.value", json!({"doubleValue": 0.5})));
        all.push(attribute("evaluations.0.evaluation.name", json!({"stringValue": "relevance"})));
        all.push(attribute("evaluations.0.evaluation.score", json!({"doubleValue": 1.0})));
    }
    all
}

fn attribute(key: &str, value: Value) -> Value {
    json!({"key": key, "value": value})
}

fn time(rng: &mut ChaCha8Rng) -> u64 {
    match rng.random_range(0..8) {
        0 => 0,
        1 => 1,
        2 => u64::MAX - 9_000_000,
        _ => BASE + rng.random_range(0..4) * 1_000_000,
    }
}

fn trace(rng: &mut ChaCha8Rng) -> String {
    format!("{:032x}", rng.random_range(1..3))
}

fn id(rng: &mut ChaCha8Rng) -> String {
    format!("{:016x}", rng.random_range(1..5))
}

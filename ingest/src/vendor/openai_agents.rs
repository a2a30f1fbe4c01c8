//! The Agents SDK of OpenAI: traces and spans as its exporter posts them → spans in OpenTelemetry's words.

use std::collections::HashMap;

use partitura_event::{ErrorClass, Problem};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::span::{Span, time};
use super::{item, missing, outer};

/// Service of its spans.
pub const SERVICE: &str = "openai-agents";

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// A trace or a span; `object` says which.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    object: String,
    id: Option<String>,
    workflow_name: Option<String>,
    group_id: Option<String>,
    metadata: Option<Value>,
    trace_id: Option<String>,
    parent_id: Option<String>,
    started_at: Option<Value>,
    ended_at: Option<Value>,
    span_data: Option<Map<String, Value>>,
    error: Option<Map<String, Value>>,
}

/// Reads an export.
pub fn spans(body: &[u8]) -> Result<Vec<Result<Span, Problem>>, Problem> {
    let Body { data } = outer(body, "an object with a list of traces and spans, `data`")?;
    let mut groups = HashMap::new();
    let mut read: Vec<_> = data.into_iter().map(|raw| one(raw, &mut groups)).collect();
    for span in read.iter_mut().flatten() {
        // The thread is known of the trace; the SDK sends a trace when it begins, so with its first spans.
        span.set("gen_ai.conversation.id", groups.get(&span.trace).cloned());
    }
    Ok(read)
}

fn one(raw: &RawValue, groups: &mut HashMap<String, Value>) -> Result<Span, Problem> {
    let item: Item = item(raw)?;
    let id = item.id.clone().filter(|id| !id.is_empty()).ok_or_else(|| missing("id"))?;
    match item.object.as_str() {
        "trace" => {
            groups.extend(item.group_id.clone().map(|group| (id.clone(), Value::from(group))));
            Ok(trace(item, id))
        }
        "trace.span" => span(item, id),
        other => Err(Problem::new(ErrorClass::Invalid, format!("there is no object {other:.40?}"))
            .code("unknown_type")
            .suggest(other, ["trace", "trace.span"])),
    }
}

/// A trace is a workflow that has no times of its own.
fn trace(item: Item, id: String) -> Span {
    let name = item.workflow_name.unwrap_or_default();
    let mut span = Span { trace: id.clone(), id, name: name.clone(), ..Span::default() };
    span.set("gen_ai.operation.name", json!("invoke_workflow"));
    span.set("gen_ai.workflow.name", json!(name));
    span.set_members("metadata", item.metadata);
    span
}

fn span(item: Item, id: String) -> Result<Span, Problem> {
    let trace = item.trace_id.filter(|id| !id.is_empty()).ok_or_else(|| missing("trace_id"))?;
    let mut data = item.span_data.ok_or_else(|| missing("span_data"))?;
    let (start, end) = (time("started_at", item.started_at.as_ref())?, time("ended_at", item.ended_at.as_ref())?);
    let kind = text(&mut data, "type").ok_or_else(|| missing("span_data.type"))?;
    let name = text(&mut data, "name").unwrap_or_default();
    let error = item.error.map(|error| error.get("message").and_then(Value::as_str).unwrap_or("failed").to_owned());
    let mut span = Span { trace, id, parent: item.parent_id, start, end, error, ..Span::default() };
    span.name = if name.is_empty() { kind.clone() } else { format!("{kind} {name}") };
    span.set_members("metadata", item.metadata);
    match kind.as_str() {
        "agent" => {
            span.set("gen_ai.operation.name", json!("invoke_agent"));
            span.set("gen_ai.agent.name", json!(name));
        }
        "generation" | "response" => model(&mut span, &mut data),
        "transcription" | "speech" => {
            model(&mut span, &mut data);
            span.set("gen_ai.output.type", json!(if kind == "speech" { "speech" } else { "text" }));
        }
        "function" => {
            span.set("gen_ai.operation.name", json!("execute_tool"));
            span.set("gen_ai.tool.name", json!(name));
            span.set_json("gen_ai.tool.call.arguments", data.remove("input"));
            span.set_json("gen_ai.tool.call.result", data.remove("output"));
        }
        // Handoffs, guardrails, tasks, turns and what users make up: groups and steps, no calls of their own.
        _ => {
            usage(&mut span, data.get("data").and_then(|data| data.get("usage")));
            span.set("gen_ai.operation.name", json!(kind));
        }
    }
    for (member, value) in data {
        span.set_json(&format!("openai.agents.{member}"), Some(value));
    }
    Ok(span)
}

fn model(span: &mut Span, data: &mut Map<String, Value>) {
    span.set("gen_ai.operation.name", json!("chat"));
    span.set("gen_ai.provider.name", json!("openai"));
    span.set_json("gen_ai.request.model", data.remove("model"));
    span.set_json("gen_ai.response.id", data.remove("response_id"));
    span.set_json("gen_ai.input.messages", data.remove("input"));
    span.set_json("gen_ai.output.messages", data.remove("output"));
    usage(span, data.remove("usage").as_ref());
}

fn usage(span: &mut Span, usage: Option<&Value>) {
    const COUNTS: [(&str, &str); 5] = [
        ("/input_tokens", "gen_ai.usage.input_tokens"),
        ("/output_tokens", "gen_ai.usage.output_tokens"),
        ("/input_tokens_details/cached_tokens", "gen_ai.usage.cache_read.input_tokens"),
        ("/input_tokens_details/cache_write_tokens", "gen_ai.usage.cache_write.input_tokens"),
        ("/output_tokens_details/reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"),
    ];
    let Some(usage) = usage else { return };
    for (pointer, name) in COUNTS {
        span.set(name, usage.pointer(pointer).filter(|count| count.is_u64()).cloned());
    }
}

fn text(data: &mut Map<String, Value>, name: &str) -> Option<String> {
    match data.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

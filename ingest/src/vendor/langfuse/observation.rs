//! Traces and observations as events tell them → spans in the words that Langfuse's newer SDKs use.

use partitura_event::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::vendor::span::{Span, time};
use crate::vendor::{item, missing};

/// What a trace says of all its observations.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    user: Option<String>,
    session: Option<String>,
}

impl Trace {
    /// Says it of a span.
    pub fn hand_down(&self, span: &mut Span) {
        span.set("user.id", self.user.clone().map(Value::from));
        span.set("session.id", self.session.clone().map(Value::from));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraceBody {
    id: Option<String>,
    timestamp: Option<Value>,
    name: Option<String>,
    user_id: Option<String>,
    session_id: Option<String>,
    input: Option<Value>,
    output: Option<Value>,
    metadata: Option<Value>,
    tags: Option<Value>,
    release: Option<Value>,
    version: Option<Value>,
    environment: Option<Value>,
}

/// Reads a trace. It is a call of its own: the whole that was asked and answered. `at` is the time of its event.
pub fn trace(body: &RawValue, at: Option<&Value>) -> Result<(Span, Trace), Problem> {
    let body: TraceBody = item(body)?;
    let id = body.id.filter(|id| !id.is_empty()).ok_or_else(|| missing("body.id"))?;
    let start = time("timestamp", body.timestamp.as_ref().or(at))?;
    let name = body.name.unwrap_or_default();
    let mut span = Span { trace: id.clone(), id, name: name.clone(), start, ..Span::default() };
    span.set("langfuse.observation.type", json!("span"));
    span.set("langfuse.trace.name", (!name.is_empty()).then(|| Value::from(name)));
    span.set_json("langfuse.observation.input", body.input);
    span.set_json("langfuse.observation.output", body.output);
    span.set_json("langfuse.trace.tags", body.tags);
    span.set_members("langfuse.trace.metadata", body.metadata);
    span.set_json("langfuse.release", body.release);
    span.set_json("langfuse.version", body.version);
    span.set_json("langfuse.environment", body.environment);
    Ok((span, Trace { user: body.user_id, session: body.session_id }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObservationBody {
    id: Option<String>,
    trace_id: Option<String>,
    parent_observation_id: Option<String>,
    r#type: Option<String>,
    name: Option<String>,
    start_time: Option<Value>,
    end_time: Option<Value>,
    completion_start_time: Option<Value>,
    model: Option<Value>,
    model_parameters: Option<Value>,
    input: Option<Value>,
    output: Option<Value>,
    usage: Option<Map<String, Value>>,
    usage_details: Option<Value>,
    cost_details: Option<Value>,
    level: Option<String>,
    status_message: Option<String>,
    prompt_name: Option<Value>,
    prompt_version: Option<Value>,
    version: Option<Value>,
    environment: Option<Value>,
    metadata: Option<Value>,
}

/// Reads what an event tells of an observation; `event` is its id, for observations that have none.
pub fn observation(kind: &str, body: &RawValue, event: &str) -> Result<Span, Problem> {
    let body: ObservationBody = item(body)?;
    let id = body.id.filter(|id| !id.is_empty()).unwrap_or_else(|| event.to_owned());
    if id.is_empty() {
        return Err(missing("body.id"));
    }
    let start = time("startTime", body.start_time.as_ref())?;
    let end = time("endTime", body.end_time.as_ref())?.or_else(|| start.filter(|_| kind == "event"));
    // An observation alone is a trace of its own.
    let trace = body.trace_id.unwrap_or_else(|| id.clone());
    let (parent, name) = (body.parent_observation_id, body.name.unwrap_or_default());
    let is_error = body.level.as_deref() == Some("ERROR");
    let error = is_error.then(|| body.status_message.clone().unwrap_or_default());
    let mut span = Span { trace, id, parent, name, start, end, error, ..Span::default() };
    let told = body.r#type.as_deref().filter(|_| kind == "observation").unwrap_or(kind);
    let (usage, costs) = of_usage(body.usage.unwrap_or_default());
    let told = [
        ("type", Some(json!(told.to_ascii_lowercase()))),
        ("level", body.level.map(Value::from)),
        ("status_message", body.status_message.map(Value::from)),
        ("input", body.input),
        ("output", body.output),
        ("model.name", body.model),
        ("model.parameters", body.model_parameters),
        ("completion_start_time", body.completion_start_time),
        ("usage_details", body.usage_details.filter(|details| !details.is_null()).or(usage)),
        ("cost_details", body.cost_details.filter(|details| !details.is_null()).or(costs)),
        ("prompt.name", body.prompt_name),
        ("prompt.version", body.prompt_version),
    ];
    for (name, value) in told {
        span.set_json(&format!("langfuse.observation.{name}"), value);
    }
    span.set_members("langfuse.observation.metadata", body.metadata);
    span.set_json("langfuse.version", body.version);
    span.set_json("langfuse.environment", body.environment);
    Ok(span)
}

/// Reads the older form of usage: `{input, output, total, unit, inputCost, outputCost, totalCost}`, or OpenAI's.
fn of_usage(usage: Map<String, Value>) -> (Option<Value>, Option<Value>) {
    let pick = |names: [&str; 3]| {
        let given = ["input", "output", "total"].into_iter().zip(names);
        let known = given.filter_map(|(name, given)| {
            let value = usage.get(given).filter(|value| value.is_number())?;
            Some((name.to_owned(), value.clone()))
        });
        let found: Map<_, _> = known.collect();
        (!found.is_empty()).then_some(Value::Object(found))
    };
    let costs = pick(["inputCost", "outputCost", "totalCost"]);
    // Characters and pictures are counted in the same members.
    let is_tokens = usage.get("unit").and_then(Value::as_str).is_none_or(|unit| unit.eq_ignore_ascii_case("tokens"));
    if !is_tokens {
        return (None, costs);
    }
    let openai = || pick(["promptTokens", "completionTokens", "totalTokens"]);
    (pick(["input", "output", "total"]).or_else(openai), costs)
}

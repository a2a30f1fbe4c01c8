//! What spans and log events say in the same way: who, with which model, what went in and out.

use serde_json::Value;

use super::any::Any;
use super::call::Call;
use super::dialect::Sort;
use super::record::Resource;
use super::subject::Subject;
use super::usage::Usage;
use super::{names, text};

/// Longest value of an attribute that a row keeps, as JSON; all are in the record.
const VALUE_MAX: usize = 1 << 10;
/// Most bytes of attributes that a row keeps.
const ATTRIBUTES_MAX: usize = 16 << 10;

/// Reads what spans and log events say in the same way.
pub fn common(subject: &Subject<'_>, sort: &Sort, convention: &'static str) -> Call {
    let provider = subject.text(names::PROVIDER).map(|name| match name.split_once('.') {
        // `openai.chat` is an endpoint of `openai`; `aws.bedrock` is a name.
        Some((provider, _)) if convention == "vercel_ai" => provider.to_lowercase(),
        _ => name.to_lowercase(),
    });
    Call {
        kind: sort.kind,
        convention,
        agent_id: agent(subject, sort),
        default_agent: sort.agent,
        task_id: owned(subject.text(names::TASK)),
        default_task: owned(subject.text(names::FRAMEWORK_TASK))
            .or_else(|| sort.task.and_then(|name| owned(subject.text(&[name])))),
        attempt_id: owned(subject.text(names::ATTEMPT)),
        conversation_id: owned(subject.text(names::CONVERSATION)),
        user_id: owned(subject.text(names::USER)),
        provider: provider.or_else(|| sort.provider.filter(|_| sort.kind == "llm").map(str::to_owned)),
        model: owned(subject.text(names::MODEL)),
        prompt_id: owned(subject.text(names::PROMPT)),
        prompt_version: owned(subject.text(names::PROMPT_VERSION)),
        input: text::input(subject, sort.kind),
        output: text::output(subject, sort.kind),
        tool_name: if sort.kind == "tool" { tool(subject) } else { None },
        ttft_ms: ttft(subject),
        finish_reason: subject.any(names::FINISH).and_then(finish_reason),
        usage: if counts(sort) { Usage::of(subject, sort.without_cache) } else { Usage::default() },
        ..Call::default()
    }
}

/// Returns whether its usage is its own, and no sum of others'.
pub fn counts(sort: &Sort) -> bool {
    matches!(sort.kind, "llm" | "embedding") && !sort.twin
}

fn agent(subject: &Subject<'_>, sort: &Sort) -> Option<String> {
    let is_agent = sort.kind == "agent";
    let named = subject.own_or_resource(names::AGENT).or_else(|| subject.text(names::FRAMEWORK_AGENT));
    let span = || if is_agent { subject.text(&["traceloop.entity.name", "graph.node.id"]) } else { None };
    // A span of an agent that has no name but its own.
    let bare = || {
        let name = subject.span.filter(|_| is_agent && sort.agent.is_none())?.name.as_str();
        let name = name.strip_prefix("invoke_agent ").or(name.strip_prefix("create_agent ")).unwrap_or(name);
        (!name.is_empty() && name != "invoke_agent" && name != "create_agent").then(|| name.to_owned())
    };
    owned(named).or_else(|| owned(span())).or_else(bare)
}

fn tool(subject: &Subject<'_>) -> Option<String> {
    let bare = || {
        let name = subject.span?.name.as_str();
        Some(name.strip_prefix("execute_tool ").unwrap_or(name).to_owned()).filter(|name| !name.is_empty())
    };
    owned(subject.text(names::TOOL)).or_else(bare)
}

fn ttft(subject: &Subject<'_>) -> Option<f64> {
    let seconds = || subject.float(names::TTFT_S).map(|seconds| seconds * 1e3);
    let completion = || {
        let text = subject.text(&["langfuse.observation.completion_start_time"])?;
        let begun = partitura_event::Timestamp::parse("time", text.trim_matches('"')).ok()?.micros();
        Some((begun - subject.span?.start_time_unix_nano.micros()?) as f64 / 1e3)
    };
    subject.float(names::TTFT_MS).or_else(seconds).or_else(completion).filter(|ms| *ms >= 0.0)
}

fn finish_reason(value: &Any) -> Option<String> {
    match value.json() {
        Value::Array(items) => items.iter().find_map(|item| item.as_str().map(str::to_owned)),
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub fn attributes(subject: &Subject<'_>, convention: &str, version: u32, sort: &Sort) -> Vec<(String, String)> {
    let sums = (!counts(sort)).then(|| Usage::of(subject, sort.without_cache)).filter(|usage| !usage.is_empty());
    let text = |name: &str, text: &str| {
        (!text.is_empty() && text.len() <= VALUE_MAX).then(|| (name.to_owned(), Value::from(text).to_string()))
    };
    let read = |name: &str, names: &[&str]| subject.own_or_resource(names).and_then(|value| text(name, &value));
    let mut kept = vec![
        ("convention".to_owned(), Value::from(convention).to_string()),
        ("convention_version".to_owned(), version.to_string()),
    ];
    kept.extend(sums.map(|usage| ("usage_rollup".to_owned(), usage.to_json().to_string())));
    kept.extend(text("name", subject.name));
    kept.extend(text("service.name", subject.service()));
    kept.extend(text("scope.name", &subject.scope.name));
    kept.extend(task_type(subject).and_then(|value| text("task_type", &value)));
    kept.extend(read("agent_name", names::AGENT_NAME));
    kept.extend(read("agent_version", names::AGENT_VERSION));
    kept.extend(read("response_model", names::RESPONSE_MODEL));
    kept.extend(read("response_id", names::RESPONSE_ID));
    let mut room = ATTRIBUTES_MAX;
    for (name, value) in subject.unread() {
        let json = value.json().to_string();
        let size = name.len() + json.len();
        if json.len() <= VALUE_MAX && size <= room && kept.iter().all(|(known, _)| known != name) {
            room -= size;
            kept.push((name.to_owned(), json));
        }
    }
    kept
}

/// Returns the type of the task: as the user calls it, else as the framework does.
pub fn task_type(subject: &Subject<'_>) -> Option<String> {
    let named = subject.own_or_resource(names::TASK_TYPE);
    owned(named.or_else(|| subject.text(names::FRAMEWORK_TASK_TYPE)))
}

/// Fills in what only the process says; spans above come before it.
pub fn of_process(call: &mut Call, resource: &Resource) {
    let named = |names: &[&str]| names.iter().find_map(|name| owned(resource.attributes.get(name).and_then(Any::text)));
    let fill = |own: &mut Option<String>, names: &[&str]| {
        if own.is_none() {
            *own = named(names).filter(|text| !text.trim().is_empty());
        }
    };
    fill(&mut call.task_id, names::TASK);
    fill(&mut call.default_task, names::FRAMEWORK_TASK);
    fill(&mut call.attempt_id, names::ATTEMPT);
    fill(&mut call.conversation_id, names::CONVERSATION);
    fill(&mut call.user_id, names::USER);
}

/// Returns a text of its own.
pub fn owned(text: Option<std::borrow::Cow<'_, str>>) -> Option<String> {
    text.map(std::borrow::Cow::into_owned)
}

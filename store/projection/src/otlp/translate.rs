//! Items of a record → calls: identity, times and what is inherited from ancestors.

use std::collections::HashMap;

use partitura_event::Fingerprint;
use serde_json::Value;

use super::any::Any;
use super::call::{Call, Message, VERSION};
use super::dialect::{self, Reading, Sort};
use super::record::{LogRecord, Record, Resource, ResourceSpans, Scope, Span};
use super::subject::Subject;
use super::usage::Usage;
use super::{names, text};

/// Longest chain of parents that is walked; a cycle ends there too.
const ANCESTORS_MAX: usize = 64;
/// Longest value of an attribute that a row keeps, as JSON; all are in the record.
const VALUE_MAX: usize = 1 << 10;
/// Most bytes of attributes that a row keeps.
const ATTRIBUTES_MAX: usize = 16 << 10;

/// Returns the calls that a record tells of. `above` are spans that only hand something down; `time` is that of the
/// record: for items that know none.
pub fn calls(record: &Record, above: &[Span], time: i64) -> Vec<Call> {
    let mut calls = Vec::new();
    for resource in &record.resource_spans {
        of_spans(resource, above, time, &mut calls);
    }
    for resource in &record.resource_logs {
        for scope in &resource.scope_logs {
            let logs = scope.log_records.iter();
            calls.extend(logs.filter_map(|log| of_log(&resource.resource, &scope.scope, log, time)));
        }
    }
    calls
}

/// What a span hands down to those below it.
#[derive(Default)]
struct Context {
    agent_id: Option<String>,
    task_id: Option<String>,
    attempt_id: Option<String>,
    conversation_id: Option<String>,
    user_id: Option<String>,
}

fn of_spans(resource: &ResourceSpans, above: &[Span], time: i64, calls: &mut Vec<Call>) {
    let spans = resource.scope_spans.iter().flat_map(|scope| scope.spans.iter().map(|span| (&scope.scope, span)));
    let mut known: HashMap<(&str, &str), (&Span, Context)> = HashMap::new();
    let mut read = Vec::new();
    let no_scope = Scope::default();
    for (scope, span, is_own) in
        spans.map(|(scope, span)| (scope, span, true)).chain(above.iter().map(|span| (&no_scope, span, false)))
    {
        let subject = Subject::of_span(&resource.resource, scope, span);
        let call = of_span(&subject, span, time);
        let id = (span.trace_id.as_str(), span.span_id.as_str());
        known.entry(id).or_insert_with(|| (span, context(&subject, call.as_ref())));
        read.extend(call.filter(|_| is_own).map(|call| (call, span)));
    }
    for (mut call, span) in read {
        let mut at = span;
        for _ in 0..ANCESTORS_MAX {
            let Some((parent, context)) = known.get(&(at.trace_id.as_str(), at.parent_span_id.as_str())) else { break };
            inherit(&mut call.agent_id, &context.agent_id);
            inherit(&mut call.task_id, &context.task_id);
            inherit(&mut call.attempt_id, &context.attempt_id);
            inherit(&mut call.conversation_id, &context.conversation_id);
            inherit(&mut call.user_id, &context.user_id);
            at = *parent;
        }
        calls.push(call);
    }
}

fn inherit(own: &mut Option<String>, above: &Option<String>) {
    if own.is_none() {
        own.clone_from(above);
    }
}

fn context(subject: &Subject<'_>, call: Option<&Call>) -> Context {
    Context {
        agent_id: call.and_then(|call| call.agent_id.clone()).or_else(|| owned(subject.text(names::AGENT))),
        task_id: owned(subject.text(names::TASK)),
        attempt_id: owned(subject.text(names::ATTEMPT)),
        conversation_id: owned(subject.text(names::CONVERSATION)),
        user_id: owned(subject.text(names::USER)),
    }
}

fn of_span(subject: &Subject<'_>, span: &Span, time: i64) -> Option<Call> {
    let (convention, Reading::Call(sort)) = recognise(subject)? else { return None };
    let (started, ended) = (span.start_time_unix_nano, span.end_time_unix_nano);
    let nanos = ended.0.checked_sub(started.0).filter(|_| started.0 > 0);
    let mut call = common(subject, &sort, convention);
    let named = sort.id.as_ref().map(|id| format!("{convention}/{id}"));
    call.interaction_id = named.unwrap_or_else(|| span_id(&span.trace_id, &span.span_id));
    call.parent_id = (!span.parent_span_id.is_empty()).then(|| span_id(&span.trace_id, &span.parent_span_id));
    call.trace_id = Some(span.trace_id.clone());
    call.started_at = started.micros();
    call.time = ended.max(started).micros().unwrap_or(time);
    call.latency_ms = nanos.map(|nanos| nanos as f64 / 1e6);
    let failed = sort.failed || span.status.code == 2;
    call.status = Some(if failed { "error" } else { "ok" });
    if failed {
        let told = || Some(span.status.message.clone()).filter(|message| !message.is_empty());
        let exception = || {
            let thrown = span.events.iter().find(|event| event.name == "exception")?;
            owned(thrown.attributes.get("exception.message").and_then(Any::text))
        };
        call.error = told().or_else(exception).or_else(|| owned(subject.text(names::ERROR)));
    }
    call.attributes = attributes(subject, convention, &sort);
    Some(call)
}

fn of_log(resource: &Resource, scope: &Scope, log: &LogRecord, time: i64) -> Option<Call> {
    let subject = Subject::of_log(resource, scope, log);
    let (convention, reading) = recognise(&subject)?;
    let time = log.time_unix_nano.micros().or(log.observed_time_unix_nano.micros()).unwrap_or(time);
    let in_span = (!log.trace_id.is_empty() && !log.span_id.is_empty()).then(|| span_id(&log.trace_id, &log.span_id));
    let sort = match reading {
        Reading::Call(sort) => sort,
        Reading::Message(is_output) => return of_message(log, time, in_span?, is_output),
        Reading::NoCall | Reading::Unknown => return None,
    };
    let mut call = common(&subject, &sort, convention);
    let by_span = in_span.filter(|_| matches!(convention, "gen_ai" | "copilot"));
    let named = sort.id.as_ref().map(|id| format!("{convention}/{id}"));
    call.interaction_id = named.or(by_span).unwrap_or_else(|| format!("{convention}/{}", identity(&subject, log)));
    call.from_log = true;
    call.trace_id = Some(log.trace_id.clone()).filter(|id| !id.is_empty());
    call.time = time;
    call.latency_ms = subject.float(names::DURATION_MS).filter(|ms| *ms >= 0.0);
    call.started_at = call.latency_ms.map(|ms| time.saturating_sub((ms * 1e3) as i64).max(0));
    // A call that only says what was asked has not ended.
    let is_question = call.kind == "agent";
    call.status = (!is_question).then_some(if sort.failed { "error" } else { "ok" });
    if sort.failed {
        call.error = owned(subject.text(names::ERROR)).or_else(|| owned(log.body.text()));
    }
    call.attributes = attributes(&subject, convention, &sort);
    Some(call)
}

/// A message that is told by itself becomes part of the call whose span it names.
fn of_message(log: &LogRecord, time: i64, span: String, is_output: bool) -> Option<Call> {
    let text = text::of_message(&log.attributes, &log.body)?;
    let order = format!("{:020}/{:?}", log.time_unix_nano.0, Fingerprint::of(text.as_bytes()));
    Some(Call {
        interaction_id: span,
        from_log: true,
        kind: "llm",
        convention: "gen_ai",
        time,
        trace_id: Some(log.trace_id.clone()),
        messages: vec![Message { is_output, order, text }],
        ..Call::default()
    })
}

/// Returns the first convention that knows an item, and what it says of it.
pub(super) fn recognise(subject: &Subject<'_>) -> Option<(&'static str, Reading)> {
    let mut readings = dialect::ALL.iter().map(|dialect| (dialect.name, (dialect.read)(subject)));
    readings.find(|(_, reading)| *reading != Reading::Unknown)
}

/// Reads what spans and log events say in the same way.
pub(super) fn common(subject: &Subject<'_>, sort: &Sort, convention: &'static str) -> Call {
    let provider = subject.text(names::PROVIDER).map(|name| match name.split_once('.') {
        // `openai.chat` is an endpoint of `openai`; `aws.bedrock` is a name.
        Some((provider, _)) if convention == "vercel_ai" => provider.to_lowercase(),
        _ => name.to_lowercase(),
    });
    Call {
        kind: sort.kind,
        convention,
        agent_id: agent(subject, sort.kind),
        default_agent: sort.agent,
        task_id: owned(subject.own_or_resource(names::TASK)),
        default_task: sort.task.and_then(|name| owned(subject.text(&[name]))),
        attempt_id: owned(subject.own_or_resource(names::ATTEMPT)),
        conversation_id: owned(subject.own_or_resource(names::CONVERSATION)),
        user_id: owned(subject.own_or_resource(names::USER)),
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
fn counts(sort: &Sort) -> bool {
    matches!(sort.kind, "llm" | "embedding") && !sort.twin
}

fn agent(subject: &Subject<'_>, kind: &str) -> Option<String> {
    let named = subject.own_or_resource(names::AGENT).or_else(|| subject.text(names::FRAMEWORK_AGENT));
    let span = || if kind == "agent" { subject.text(&["traceloop.entity.name"]) } else { None };
    // A span of an agent that has no name but its own.
    let bare = || {
        let name = subject.span.filter(|_| kind == "agent")?.name.as_str();
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

fn attributes(subject: &Subject<'_>, convention: &str, sort: &Sort) -> Vec<(String, String)> {
    let sums = (!counts(sort)).then(|| Usage::of(subject, sort.without_cache)).filter(|usage| !usage.is_empty());
    let text = |name: &str, text: &str| {
        (!text.is_empty() && text.len() <= VALUE_MAX).then(|| (name.to_owned(), Value::from(text).to_string()))
    };
    let read = |name: &str, names: &[&str]| subject.own_or_resource(names).and_then(|value| text(name, &value));
    let mut kept = vec![
        ("convention".to_owned(), Value::from(convention).to_string()),
        ("convention_version".to_owned(), VERSION.to_string()),
    ];
    kept.extend(sums.map(|usage| ("usage_rollup".to_owned(), usage.to_json().to_string())));
    kept.extend(text("name", subject.name));
    kept.extend(text("service.name", subject.service()));
    kept.extend(text("scope.name", &subject.scope.name));
    kept.extend(read("task_type", names::TASK_TYPE));
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

fn span_id(trace: &str, span: &str) -> String {
    format!("{trace}-{span}")
}

/// Names a log event that names no call: the same event sent again is the same.
fn identity(subject: &Subject<'_>, log: &LogRecord) -> String {
    let mut bytes = format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{:?}\n",
        subject.service(),
        subject.scope.name,
        subject.name,
        log.trace_id,
        log.span_id,
        log.time_unix_nano.0,
        log.body
    );
    for (name, value) in log.attributes.all() {
        bytes.push_str(&format!("{name}={}\n", value.json()));
    }
    format!("{:?}", Fingerprint::of(bytes.as_bytes()))
}

fn owned(text: Option<std::borrow::Cow<'_, str>>) -> Option<String> {
    text.map(std::borrow::Cow::into_owned)
}

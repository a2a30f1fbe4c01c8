//! Items of a record → calls: identity, times and what is inherited from ancestors.

use std::collections::HashMap;

use partitura_event::Fingerprint;

use super::any::Any;
use super::call::{Call, Message};
use super::common::{attributes, common, of_process, owned};
use super::dialect::{Reading, Sort};
use super::record::{LogRecord, Record, Resource, ResourceSpans, Scope, Span};
use super::subject::Subject;
use super::translator::Translator;
use super::{names, text, work};

/// Longest chain of parents that is walked; a cycle ends there too.
const ANCESTORS_MAX: usize = 64;
/// The event that repeats what a span says.
const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// Returns the calls that a record tells of. `above` are spans that only hand something down; `time` is that of the
/// record: for items that know none.
pub fn calls(translator: &Translator, record: &Record, above: &[Span], time: i64) -> Vec<Call> {
    let mut calls = Vec::new();
    for resource in &record.resource_spans {
        of_spans(translator, resource, above, time, &mut calls);
    }
    for resource in &record.resource_logs {
        for scope in &resource.scope_logs {
            let logs = scope.log_records.iter();
            calls.extend(logs.filter_map(|log| of_log(translator, &resource.resource, &scope.scope, log, time)));
        }
    }
    calls
}

/// What a span hands down to those below it.
#[derive(Default)]
struct Context {
    agent_id: Option<String>,
    task_id: Option<String>,
    default_task: Option<String>,
    attempt_id: Option<String>,
    conversation_id: Option<String>,
    user_id: Option<String>,
    /// The call that it is: its id, its kind, and whether it is the work on a task.
    call: Option<(String, &'static str, bool)>,
}

fn of_spans(translator: &Translator, resource: &ResourceSpans, above: &[Span], time: i64, calls: &mut Vec<Call>) {
    let spans = resource.scope_spans.iter().flat_map(|scope| scope.spans.iter().map(|span| (&scope.scope, span)));
    let mut known: HashMap<(&str, &str), (&Span, Context)> = HashMap::new();
    let mut read = Vec::new();
    let no_scope = Scope::default();
    for (scope, span, is_own) in
        spans.map(|(scope, span)| (scope, span, true)).chain(above.iter().map(|span| (&no_scope, span, false)))
    {
        let subject = Subject::of_span(&resource.resource, scope, span);
        let call = of_span(translator, &subject, span, time);
        let id = (span.trace_id.as_str(), span.span_id.as_str());
        known.entry(id).or_insert_with(|| (span, context(&subject, call.as_ref())));
        read.extend(call.filter(|_| is_own).map(|call| (call, span)));
    }
    for (mut call, span) in read {
        let mut at = span;
        let names_task = call.task_id.is_some();
        let mut caller: Option<&String> = None;
        // Whether what is above may be the sum of calls such as this one: not beyond another call of its own.
        let mut is_around = !call.usage.is_empty();
        let mut top = None;
        for distance in 0..ANCESTORS_MAX {
            let Some((parent, context)) = known.get(&(at.trace_id.as_str(), at.parent_span_id.as_str())) else { break };
            inherit(&mut call.agent_id, &context.agent_id);
            inherit(&mut call.task_id, &context.task_id);
            inherit(&mut call.default_task, &context.default_task);
            inherit(&mut call.attempt_id, &context.attempt_id);
            inherit(&mut call.conversation_id, &context.conversation_id);
            inherit(&mut call.user_id, &context.user_id);
            if let Some((id, kind, is_task)) = &context.call {
                caller = caller.or(Some(id).filter(|id| **id != call.interaction_id));
                call.around.extend((is_around && *kind == call.kind && *id != call.interaction_id).then(|| id.clone()));
                is_around &= *kind == call.kind || *kind == "workflow";
                call.work.begins |= distance == 0 && *is_task && call.kind == "agent";
                top = context.agent_id.as_ref().filter(|_| *kind == "agent").or(top);
            }
            at = *parent;
        }
        of_process(&mut call, &resource.resource);
        if !names_task && call.task_id.is_some() {
            call.work.is_part();
        }
        call.work.worker = match call.work.is_within {
            true => top.filter(|top| at.parent_span_id.is_empty() && Some(top.as_str()) == call.agent()).cloned(),
            false => call.agent().map(str::to_owned),
        };
        let unknown = call.parent_id.clone().filter(|_| std::ptr::eq(at, span));
        call.around.extend(unknown.filter(|id| !call.usage.is_empty() && *id != call.interaction_id));
        // Spans that are no calls are passed over; what is above the first that is not known here may have a row.
        let above = || (!at.parent_span_id.is_empty()).then(|| span_id(&at.trace_id, &at.parent_span_id));
        call.parent_id = caller.cloned().or_else(above);
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
        default_task: call
            .and_then(|call| call.default_task.clone())
            .or_else(|| owned(subject.text(names::FRAMEWORK_TASK))),
        attempt_id: owned(subject.text(names::ATTEMPT)),
        conversation_id: owned(subject.text(names::CONVERSATION)),
        user_id: owned(subject.text(names::USER)),
        call: call.map(|call| (call.interaction_id.clone(), call.kind, call.work.is_task)),
    }
}

fn of_span(translator: &Translator, subject: &Subject<'_>, span: &Span, time: i64) -> Option<Call> {
    let (convention, Reading::Call(sort)) = translator.recognise(subject)? else { return None };
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
    call.default_task = call.default_task.or_else(|| task_of_trace(&sort, &call.trace_id));
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
    call.work = work::of(subject, &sort, &call);
    call.attributes = attributes(subject, convention, translator.version, &sort);
    Some(call)
}

fn of_log(translator: &Translator, resource: &Resource, scope: &Scope, log: &LogRecord, time: i64) -> Option<Call> {
    let subject = Subject::of_log(resource, scope, log);
    let (convention, reading) = translator.recognise(&subject)?;
    let time = log.time_unix_nano.micros().or(log.observed_time_unix_nano.micros()).unwrap_or(time);
    let in_span = (!log.trace_id.is_empty() && !log.span_id.is_empty()).then(|| span_id(&log.trace_id, &log.span_id));
    let sort = match reading {
        Reading::Call(sort) => sort,
        Reading::Message(is_output) => return of_message(&subject, log, time, in_span?, is_output),
        Reading::NoCall | Reading::Unknown => return None,
    };
    let mut call = common(&subject, &sort, convention);
    let names_task = call.task_id.is_some();
    of_process(&mut call, resource);
    let by_span = in_span.filter(|_| subject.name == DETAILS);
    let named = sort.id.as_ref().map(|id| format!("{convention}/{id}"));
    call.interaction_id = named.or(by_span).unwrap_or_else(|| format!("{convention}/{}", identity(&subject, log)));
    call.from_log = true;
    call.trace_id = Some(log.trace_id.clone()).filter(|id| !id.is_empty());
    call.default_task = call.default_task.or_else(|| task_of_trace(&sort, &call.trace_id));
    call.time = time;
    call.latency_ms = subject.float(names::DURATION_MS).filter(|ms| *ms >= 0.0);
    call.started_at = call.latency_ms.map(|ms| time.saturating_sub((ms * 1e3) as i64).max(0));
    // A call that only says what was asked has not ended.
    let is_question = call.kind == "agent";
    call.status = (!is_question).then_some(if sort.failed { "error" } else { "ok" });
    if sort.failed {
        call.error = owned(subject.text(names::ERROR)).or_else(|| owned(log.body.text()));
    }
    call.work = work::of(&subject, &sort, &call);
    if !names_task && call.task_id.is_some() {
        call.work.is_part();
    }
    call.attributes = attributes(&subject, convention, translator.version, &sort);
    Some(call)
}

fn task_of_trace(sort: &Sort, trace_id: &Option<String>) -> Option<String> {
    trace_id.clone().filter(|_| sort.task_is_trace)
}

/// A message that is told by itself becomes part of the call whose span it names.
fn of_message(subject: &Subject<'_>, log: &LogRecord, time: i64, span: String, is_output: bool) -> Option<Call> {
    let text = text::of_message(&log.attributes, &log.body)?;
    let order = format!("{:020}/{:?}", log.time_unix_nano.0, Fingerprint::of(text.as_bytes()));
    Some(Call {
        interaction_id: span,
        from_log: true,
        kind: "llm",
        convention: "gen_ai",
        time,
        trace_id: Some(log.trace_id.clone()),
        conversation_id: owned(subject.text(names::CONVERSATION)),
        user_id: owned(subject.text(names::USER)),
        messages: vec![Message { is_output, order, text }],
        ..Call::default()
    })
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

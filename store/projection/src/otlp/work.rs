//! What a call says of work: of its task, of hand-offs and of what it left behind.

use serde_json::Value;

use super::any::Any;
use super::call::{Artifact, Call, End, Handoff, Work};
use super::common::{owned, task_type};
use super::dialect::Sort;
use super::names;
use super::subject::Subject;

/// Most characters of a title that is made of a description.
const TITLE_CHARS: usize = 120;

/// Reads what is said of work. The call knows its kind, agent and task already, but not those above it.
pub fn of(subject: &Subject<'_>, sort: &Sort, call: &Call) -> Work {
    // Where the process names the task, what a framework calls one is work on it, and no task.
    let of_process = || names::TASK.iter().any(|name| subject.resource.get(name).is_some());
    let is_task = sort.is_task && (call.task_id.is_some() || !of_process());
    let is_root = subject.span.is_some_and(|span| span.parent_span_id.is_empty());
    let text = owned(subject.text(names::TASK_TEXT)).or_else(|| call.input.clone().filter(|_| is_task));
    let is_agent = call.kind == "agent";
    let text_of = |names: &[&str]| owned(subject.own_or_resource(names));
    Work {
        is_task,
        begins: is_task || is_root || sort.begins,
        worker: call.agent().map(str::to_owned),
        is_within: sort.begins && !is_task && !is_root && subject.span.is_some(),
        end: end(subject, call, is_task),
        title: text_of(names::TASK_TITLE).or_else(|| text.as_deref().filter(|_| is_task).and_then(title)),
        text: text.filter(|_| is_task),
        task_type: task_type(subject),
        parent_task: text_of(names::PARENT_TASK).or_else(|| parent(subject, call)),
        project: text_of(names::PROJECT),
        agent_name: owned(subject.text(names::AGENT_NAME)).filter(|_| is_agent),
        agent_version: owned(subject.text(names::AGENT_VERSION)).filter(|_| is_agent),
        alias: alias(subject, call),
        handoff: handoff(subject, call),
        artifacts: artifacts(subject),
    }
}

fn end(subject: &Subject<'_>, call: &Call, is_task: bool) -> Option<End> {
    let word = subject.text(names::TASK_STATUS).map(|word| word.to_ascii_lowercase());
    match word.as_deref() {
        Some("success" | "succeeded" | "completed" | "ok") => return Some(End::Completed),
        Some("failure" | "failed" | "error") => return Some(End::Failed),
        _ => {}
    }
    match call.status.filter(|_| is_task && !call.from_log) {
        Some("ok") => Some(End::Completed),
        Some(_) => Some(End::Failed),
        None => None,
    }
}

/// A task that a span names, within a process that names another, is a part of that.
fn parent(subject: &Subject<'_>, call: &Call) -> Option<String> {
    let above = owned(subject.resource.get("task.id").and_then(Any::text))?;
    call.task_id.as_ref().is_some_and(|own| !own.eq_ignore_ascii_case(&above)).then_some(above)
}

/// Returns the first line of a text, if it is short enough, or its beginning.
fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if line.chars().count() <= TITLE_CHARS {
        return Some(line.to_owned());
    }
    Some(line.chars().take(TITLE_CHARS - 1).chain(['…']).collect())
}

/// Frameworks give their agents ids that differ from run to run: they stand for the agent's name.
fn alias(subject: &Subject<'_>, call: &Call) -> Option<(String, String)> {
    let (id, name) = (owned(subject.text(&["gen_ai.agent.id"]))?, owned(subject.text(&["gen_ai.agent.name"]))?);
    let is_named_so = call.agent_id.as_ref() == Some(&id) && !id.eq_ignore_ascii_case(&name);
    is_named_so.then_some((id, name))
}

/// Hand-offs are told by attributes, by the span of the OpenAI Agents SDK, or by a tool that transfers.
fn handoff(subject: &Subject<'_>, call: &Call) -> Option<Handoff> {
    let named = |name: &str| owned(subject.text(&[name]));
    if let Some(to) = named("gen_ai.handoff.to_agent") {
        return Some(Handoff { from: named("gen_ai.handoff.from_agent"), to, reason: None });
    }
    if call.convention == "openinference" && call.kind == "workflow" && subject.name.starts_with("handoff") {
        return Some(Handoff { from: named("input.value"), to: named("output.value")?, reason: None });
    }
    let tool = call.tool_name.as_deref().filter(|_| call.status == Some("ok"))?;
    let to = tool.strip_prefix("transfer_to_")?;
    let given = subject.any(names::TOOL_INPUT).map(Any::json);
    let argument = |name: &str| given.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let to = if to == "agent" { argument("agent_name")? } else { to.to_owned() };
    Some(Handoff { from: call.agent_id.clone(), to, reason: argument("reason") })
}

fn artifacts(subject: &Subject<'_>) -> Vec<Artifact> {
    let named = |name: &str| owned(subject.text(&[name]));
    let own = named("artifact.id").map(|artifact_id| Artifact {
        artifact_id,
        kind: named("artifact.kind").unwrap_or_else(|| "file".to_owned()),
        uri: named("artifact.uri"),
    });
    // Claude Code says which commit a command made, where details of tools are sent.
    let commit = || match subject.any(&["tool_parameters"])?.json() {
        Value::Object(parameters) => {
            let id = parameters.get("git_commit_id")?.as_str().filter(|id| !id.is_empty())?.to_owned();
            Some(Artifact { artifact_id: id, kind: "commit".to_owned(), uri: None })
        }
        _ => None,
    };
    own.into_iter().chain(commit()).collect()
}

//! What went into a call and what came out, as readable text, from every form in which it is sent.

use serde_json::{Map, Value};

use super::any::{Any, parsed};
use super::names;
use super::subject::Subject;

/// Members of JSON content whose texts are for reading; others are ids, roles and sorts.
const READABLE: &[&str] = &[
    "content",
    "text",
    "input",
    "output",
    "arguments",
    "args",
    "thinking",
    "reasoning",
    "parts",
    "response",
    "result",
    "message",
    "prompt",
    "query",
    "completion",
];
/// Endings of flattened attribute names that hold text.
const FLAT: &[&str] = &["content", "text", "arguments", "document.content"];

/// Returns what went in.
pub fn input(subject: &Subject<'_>, kind: &str) -> Option<String> {
    let tool = || if kind == "tool" { one(subject, names::TOOL_INPUT) } else { None };
    one(subject, names::EXPLICIT_INPUT)
        .or_else(tool)
        // What was asked comes first: a preview of the instructions would be the same for all calls.
        .or_else(|| joined([asked(subject), one(subject, &["gen_ai.system_instructions"])]))
}

/// What went in beside the system's instructions.
fn asked(subject: &Subject<'_>) -> Option<String> {
    one(subject, &["gen_ai.input.messages"])
        .or_else(|| of_events(subject, is_input))
        .or_else(|| flattened(subject, "gen_ai.prompt."))
        .or_else(|| flattened(subject, "llm.input_messages."))
        .or_else(|| one(subject, names::QUERY))
        .or_else(|| one(subject, names::INPUT))
        .or_else(|| asked_of_history(subject))
        .or_else(|| flattened(subject, "llm.prompts."))
        .or_else(|| one(subject, names::TOOL_INPUT))
}

/// Pydantic AI's agents tell the whole history at their end: what was asked stands from the first new message on, until
/// the model speaks.
fn asked_of_history(subject: &Subject<'_>) -> Option<String> {
    let Value::Array(history) = subject.any(&["pydantic_ai.all_messages"])?.json() else { return None };
    let new = subject.count(&["pydantic_ai.new_message_index"]).map_or(0, |at| at as usize);
    let is_asked = |message: &&Value| !matches!(message["role"].as_str(), Some("assistant" | "model"));
    joined(history.iter().skip(new).take_while(is_asked).map(|message| Some(of_json(message))))
}

/// Returns what came out.
pub fn output(subject: &Subject<'_>, kind: &str) -> Option<String> {
    let tool = || if kind == "tool" { one(subject, names::TOOL_OUTPUT) } else { None };
    one(subject, names::EXPLICIT_OUTPUT)
        .or_else(tool)
        .or_else(|| one(subject, &["gen_ai.output.messages"]))
        .or_else(|| said_and_called(subject))
        .or_else(|| of_events(subject, is_output))
        .or_else(|| flattened(subject, "gen_ai.completion."))
        .or_else(|| flattened(subject, "llm.output_messages."))
        .or_else(|| one(subject, &["gen_ai.retrieval.documents", "gen_ai.memory.records"]))
        .or_else(|| flattened(subject, "retrieval.documents."))
        .or_else(|| one(subject, names::OUTPUT))
        .or_else(|| one(subject, names::TOOL_OUTPUT))
}

/// Vercel's AI SDK tells the text of an answer and its calls of tools apart.
fn said_and_called(subject: &Subject<'_>) -> Option<String> {
    let text = one(subject, &["ai.response.text"])?;
    joined([Some(text), one(subject, &["ai.response.toolCalls"])])
}

/// Returns whether an event is a message that goes into a model.
pub fn is_input(name: &str) -> bool {
    matches!(
        name,
        "gen_ai.system.message"
            | "gen_ai.user.message"
            | "gen_ai.assistant.message"
            | "gen_ai.tool.message"
            | "gen_ai.content.prompt"
    )
}

/// Returns whether an event is a message that comes out of a model.
pub fn is_output(name: &str) -> bool {
    matches!(name, "gen_ai.choice" | "gen_ai.content.completion")
}

/// Returns the text of the message that an event is.
pub fn of_message(event: &super::any::Attributes, body: &Any) -> Option<String> {
    let bodies = [body].into_iter().filter(|body| !body.is_empty());
    let named = ["gen_ai.prompt", "gen_ai.completion", "content", "message", "gen_ai.event.content", "tool_calls"];
    let texts = bodies.chain(named.iter().filter_map(|name| event.get(name))).map(readable);
    joined(texts.filter(|text| !is_withheld(text)).map(Some))
}

/// Returns the texts of a value, one a line; those of JSON without roles and ids, or all of it if it has no other.
pub fn readable(value: &Any) -> String {
    match value {
        Any::Text(text) => match parsed(text) {
            None => text.clone(),
            Some(Value::String(text)) => text,
            Some(json) => of_json(&json),
        },
        other => of_json(&other.json()),
    }
}

fn of_json(json: &Value) -> String {
    if let Some(raw) = of_crew(json) {
        return raw.to_owned();
    }
    let mut texts = Vec::new();
    gather(json, true, &mut texts);
    match texts.is_empty() {
        true if is_hollow(json) => String::new(),
        true => json.to_string(),
        false => texts.join("\n"),
    }
}

/// Returns whether it holds lists and objects that hold nothing.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_hollow),
        Value::Object(members) => members.values().all(is_hollow),
        _ => false,
    }
}

/// CrewAI's results hold all messages beside the text that came out.
fn of_crew(json: &Value) -> Option<&str> {
    json.get("tasks_output").or(json.get("expected_output"))?;
    json.get("raw")?.as_str().filter(|raw| !raw.trim().is_empty())
}

fn gather(value: &Value, is_readable: bool, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if is_readable && !text.trim().is_empty() => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, is_readable, texts)),
        Value::Object(members) => match members.get("type").and_then(Value::as_str) {
            // Bytes are not for reading; where they are is.
            Some("blob") => {
                texts.push(format!("[{}]", members.get("mime_type").and_then(Value::as_str).unwrap_or("blob")))
            }
            _ => members.iter().for_each(|(name, member)| gather_member(members, name, member, texts)),
        },
        _ => {}
    }
}

/// Gathers a member of an object. Arguments stand behind the name of what is called.
fn gather_member(members: &Map<String, Value>, name: &str, member: &Value, texts: &mut Vec<String>) {
    let called = members.get("name").or(members.get("toolName")).and_then(Value::as_str);
    match (name, member) {
        (_, Value::Null) => {}
        ("arguments" | "args", Value::Object(_) | Value::String(_)) => {
            let arguments = member.as_str().map_or_else(|| member.to_string(), str::to_owned);
            texts.push(called.map_or_else(|| arguments.clone(), |called| format!("{called} {arguments}")));
        }
        ("input", Value::Object(_)) if called.is_some() => {
            texts.push(format!("{} {member}", called.unwrap_or_default()));
        }
        ("uri" | "file_id", Value::String(place)) => texts.push(place.clone()),
        (
            "response" | "result" | "output" | "input" | "value",
            Value::Object(_) | Value::Number(_) | Value::Bool(_),
        ) => {
            let before = texts.len();
            gather(member, true, texts);
            if texts.len() == before && !is_hollow(member) {
                texts.push(member.to_string());
            }
        }
        _ => gather(member, READABLE.contains(&name), texts),
    }
}

fn one(subject: &Subject<'_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| subject.any(&[*name]).map(readable).filter(|text| !is_withheld(text)))
}

/// Returns whether a text says only that there is none to be seen.
fn is_withheld(text: &str) -> bool {
    matches!(text.trim(), "" | "<REDACTED>" | "[REDACTED]" | "<elided>" | "{}" | "[]" | "null")
}

fn of_events(subject: &Subject<'_>, wanted: fn(&str) -> bool) -> Option<String> {
    let events = subject.events().iter().filter(|event| wanted(&event.name));
    joined(events.map(|event| of_message(&event.attributes, &Any::Empty)))
}

/// Joins the texts of a flattened list: `gen_ai.prompt.0.content`, in the order of its numbers.
fn flattened(subject: &Subject<'_>, prefix: &'static str) -> Option<String> {
    let mut texts: Vec<(Vec<u64>, bool, String)> = Vec::new();
    for (name, value) in subject.read_below(prefix) {
        let rest = &name[prefix.len()..];
        // The name of a tool stands before what it is called with.
        let is_tool = rest.contains("tool_calls.") && rest.ends_with(".name");
        if is_tool || FLAT.iter().any(|ending| rest == *ending || rest.ends_with(&format!(".{ending}"))) {
            let numbers = rest.split('.').filter_map(|part| part.parse().ok()).collect();
            texts.push((numbers, !is_tool, readable(value)));
        }
    }
    texts.sort();
    joined(texts.into_iter().map(|(.., text)| Some(text)))
}

fn joined(texts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let texts: Vec<_> = texts.into_iter().flatten().filter(|text| !text.trim().is_empty()).collect();
    if texts.is_empty() { None } else { Some(texts.join("\n")) }
}

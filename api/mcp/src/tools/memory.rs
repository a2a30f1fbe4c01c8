//! `add_memory`, `get_memory`, `delete_memory`: what the team knows.

use futures::FutureExt;
use partitura_event::Problem;
use partitura_service::Scope;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::arguments::{max_tokens, read, read_at};
use crate::budget::{cut, fit};
use crate::fence::fenced;
use crate::markdown;
use crate::reply::{Answer, Reply, appended, object};
use crate::schema;
use crate::tool::{Call, Effect, Tool};

pub fn tools() -> Vec<Tool> {
    vec![
        Tool {
            name: "add_memory",
            title: "Remember something",
            about: "Note a piece of knowledge for the whole team: a fact, a pattern, a solution or a decision that is \
                    worth finding again. With the knowledge_id of an earlier note it becomes a new version of that note.",
            scope: Scope::Ingest,
            effect: Effect::Adds,
            takes: || schema::object(note_fields(), &["text"]),
            gives: || schema::appended(&["knowledge_id"]),
            run: |call| add(call).boxed(),
        },
        Tool {
            name: "get_memory",
            title: "Read a piece of knowledge",
            about: "Read one piece of knowledge by its knowledge_id, whatever its status: current, superseded or retracted.",
            scope: Scope::Read,
            effect: Effect::Reads,
            takes: || schema::object(get_fields(), &["knowledge_id"]),
            gives: || {
                let piece = json!({"type": "object", "description": "A row of the table `knowledge`"});
                let position = schema::position("Position at which it was answered");
                let truncated = schema::flag("Whether a text was cut");
                let all = [("knowledge", piece), ("position", position), ("truncated", truncated)];
                schema::object(schema::properties(all), &["knowledge", "position"])
            },
            run: |call| get(call).boxed(),
        },
        Tool {
            name: "delete_memory",
            title: "Retract a piece of knowledge",
            about: "Retract a piece of knowledge that was wrong: search and get_context no longer find it. Nothing is \
                    erased; its history stays in the log.",
            scope: Scope::Ingest,
            effect: Effect::Hides,
            takes: || {
                let all = [
                    ("knowledge_id", schema::text("The piece")),
                    ("reason", schema::text("Why it no longer holds")),
                    ("idempotency_key", schema::idempotency_key()),
                ];
                schema::object(schema::properties(all), &["knowledge_id"])
            },
            gives: || schema::appended(&["knowledge_id"]),
            run: |call| delete(call).boxed(),
        },
    ]
}

/// The arguments of `add_memory`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    knowledge_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    #[serde(skip_serializing)]
    idempotency_key: Option<String>,
}

fn note_fields() -> schema::Properties {
    let mut fields = schema::fields_of(&["knowledge.noted"]);
    for name in ["attempt_id", "conversation_id"] {
        fields.remove(name);
    }
    fields.insert("knowledge_id".into(), schema::text("Its id; a new one when it is left out"));
    fields.insert("idempotency_key".into(), schema::idempotency_key());
    fields
}

async fn add(call: Call) -> Result<Answer, Problem> {
    let note: Note = read(&call.arguments)?;
    let key = note.idempotency_key.as_deref();
    let (id, done) = call.service.note(&call.principal, object(&note), key).await?;
    Ok(appended(&done, &[("knowledge_id", &id)]))
}

/// The arguments of `get_memory`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    knowledge_id: String,
    min_position: Option<u64>,
    wait_ms: Option<u64>,
    as_of: Option<Value>,
    max_tokens: Option<u64>,
}

fn get_fields() -> schema::Properties {
    let mut fields = schema::read_at();
    fields.insert("knowledge_id".into(), schema::text("The piece"));
    fields.insert("max_tokens".into(), schema::max_tokens());
    fields
}

async fn get(call: Call) -> Result<Answer, Problem> {
    let asked: Get = read(&call.arguments)?;
    let budget = max_tokens(asked.max_tokens)?;
    let at = read_at(asked.min_position, asked.wait_ms, asked.as_of.as_ref())?;
    let (piece, position) = call.service.knowledge(&call.principal, &asked.knowledge_id, at).await?;
    let (mut kept, truncated) = fit(vec![Value::Object(piece)], call.service.settings().mcp_bytes_max);
    let piece = kept.pop().unwrap_or_else(|| json!({}));
    let text = piece.as_object().map(|piece| shown(piece, budget)).unwrap_or_default();
    let structured = object(&json!({"knowledge": piece, "position": position, "truncated": truncated}));
    Ok(Ok(Reply { structured, text: fenced(&text) }))
}

/// Writes a piece of knowledge: its text first, then the rest.
pub fn shown(piece: &Map<String, Value>, budget: usize) -> String {
    let member = |name: &str| piece.get(name).and_then(Value::as_str).unwrap_or_default();
    let rest = piece.iter().filter(|(name, _)| !matches!(name.as_str(), "text" | "title"));
    let rest: Map<String, Value> = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
    let heading = if member("title").is_empty() { "knowledge_id" } else { "title" };
    cut(&format!("# {}\n{}\n\n{}", member(heading), member("text"), markdown::members(&rest)), budget)
}

/// The arguments of `delete_memory`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    knowledge_id: String,
    reason: Option<String>,
    idempotency_key: Option<String>,
}

async fn delete(call: Call) -> Result<Answer, Problem> {
    let asked: Delete = read(&call.arguments)?;
    let mut data = json!({"knowledge_id": asked.knowledge_id});
    if let Some(reason) = asked.reason {
        data["reason"] = json!(reason);
    }
    let (id, key) = (&asked.knowledge_id, asked.idempotency_key.as_deref());
    let done = call.service.say_of_knowledge(&call.principal, "knowledge.retracted", id, data, key).await?;
    Ok(appended(&done, &[("knowledge_id", id)]))
}

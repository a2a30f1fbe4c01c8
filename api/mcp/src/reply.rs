//! What a tool answers: structured content, and a text that says the same to a reader with less patience.

use partitura_service::Appended;
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::failure;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Fits the tool's output schema.
    pub structured: Map<String, Value>,
    /// Markdown. What was stored stands in a fence.
    pub text: String,
}

/// A tool's answer, or the problem of a write that was refused.
pub type Answer = Result<Reply, Map<String, Value>>;

/// Makes the result that is sent.
pub fn result(answer: Answer) -> CallToolResult {
    match answer {
        Ok(reply) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(reply.text)]);
            result.structured_content = Some(Value::Object(reply.structured));
            result
        }
        Err(problem) => failure::of_tool(problem),
    }
}

/// Returns the members of an answer of the service.
pub fn object(value: &impl Serialize) -> Map<String, Value> {
    match json!(value) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Answers a write of one event; `named` are ids that the caller may not know yet.
pub fn appended(appended: &Appended, named: &[(&str, &str)]) -> Answer {
    let mut structured = object(&appended.body);
    if appended.status >= 400 {
        return Err(structured);
    }
    let event = structured.get("results").and_then(|results| results.get(0)).cloned().unwrap_or_default();
    let mut text = match event["duplicate"] == true {
        true => format!("It was recorded before, at position {}.", event["position"]),
        false => format!("Recorded at position {}.", event["position"]),
    };
    for (name, id) in named {
        structured.insert((*name).to_owned(), json!(id));
        text += &format!(" {name} = {id}.");
    }
    if appended.replayed {
        text += " This is the stored answer of an earlier call with the same key.";
    }
    for warning in structured.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        text += &format!("\nwarning: {}", warning["message"].as_str().unwrap_or_default());
    }
    if structured.contains_key("redacted") {
        text += "\nSecrets were taken out of what you sent before it was stored.";
    }
    Ok(Reply { structured, text })
}

//! Secrets out of items, and content where a source's content is not kept. Ids, times and numbers stay as they are.

use partitura_event::json::Node;

use super::schema::{ANY_VALUE, KEY_VALUE, Message, Shape};
use crate::redact::{ContentMode, Redactions, Redactor};

/// Attributes that hold content, whatever their type.
const CONTENT: &[&str] = &[
    "ai.prompt",
    "ai.prompt.messages",
    "ai.response.object",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.input",
    "ai.toolCall.output",
    "ai.toolCall.result",
    "arguments",
    "body",
    "content",
    "crewai.task.description",
    "crewai.task.output",
    "exception.message",
    "exception.stacktrace",
    "final_result",
    "function_args",
    "gen_ai.completion",
    "gen_ai.evaluation.explanation",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.retrieval.documents",
    "gen_ai.retrieval.query.text",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "input.value",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "output",
    "output.value",
    "prompt",
    "pydantic_ai.all_messages",
    "request_text",
    "response",
    "response_text",
    "tool_arguments",
    "tool_input",
    "tool_parameters",
    "tool_response",
    "traceloop.entity.input",
    "traceloop.entity.output",
];
/// Beginnings of names of attributes that hold content.
const CONTENT_BELOW: &[&str] = &[
    "gcp.vertex.agent.",
    "gen_ai.completion.",
    "gen_ai.memory.",
    "gen_ai.prompt.",
    "gen_ai.task.input",
    "gen_ai.task.output",
    "llm.completions.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "retrieval.documents.",
];
/// Names below these beginnings that are none.
const FACTS: &[&str] =
    &["gen_ai.prompt.name", "gen_ai.prompt.version", "gen_ai.memory.record.id", "gen_ai.memory.store.id"];

/// Cleans one item of a source.
pub(super) fn clean(
    redactor: &Redactor,
    source: &str,
    node: &mut Node<'_>,
    message: &'static Message,
    found: &mut Redactions,
) {
    let mode = redactor.content_of(source);
    walk(&Cleaner { redactor, mode }, node, message, ContentMode::Full, found);
}

struct Cleaner<'r> {
    redactor: &'r Redactor,
    mode: ContentMode,
}

fn walk(
    cleaner: &Cleaner<'_>,
    node: &mut Node<'_>,
    message: &'static Message,
    mode: ContentMode,
    found: &mut Redactions,
) {
    let Node::Object(members) = node else { return };
    let mut mode = mode;
    if std::ptr::eq(message, &KEY_VALUE) {
        let key = members.iter().find(|(name, _)| name == "key").and_then(|(_, key)| key.as_text()).unwrap_or_default();
        let (key, is_content) = (key.to_owned(), is_content(key));
        mode = if is_content { cleaner.mode } else { mode };
        if let Some((_, value)) = members.iter_mut().find(|(name, _)| name == "value") {
            named(cleaner.redactor, &key, value, found);
        }
    }
    let is_body = |name: &str| name == "body" && cleaner.mode != ContentMode::Full;
    members.retain_mut(|(name, value)| {
        let Some(field) = message.fields.iter().find(|field| field.name == name.as_ref()) else { return true };
        let items = match value {
            Node::List(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        match field.shape {
            Shape::Text => {
                for item in items {
                    cleaner.redactor.node(item, mode, found);
                }
            }
            Shape::Message(inner) => {
                let mode = if is_body(name.as_ref()) { cleaner.mode } else { mode };
                if mode == ContentMode::None && std::ptr::eq(inner, &ANY_VALUE) {
                    *found.entry("content".to_owned()).or_default() += 1;
                    return false;
                }
                for item in items {
                    walk(cleaner, item, inner, mode, found);
                }
            }
            _ => {}
        }
        true
    });
}

/// Replaces the value of an attribute whose name says that it is a secret, or each of a list.
fn named(redactor: &Redactor, key: &str, value: &mut Node<'_>, found: &mut Redactions) {
    let Node::Object(members) = value else { return };
    for (name, inner) in members {
        match (name.as_ref(), inner) {
            ("stringValue", text) => {
                redactor.named(key, text, found);
            }
            ("arrayValue", Node::Object(list)) => {
                let values = list.iter_mut().filter_map(|(_, values)| match values {
                    Node::List(items) => Some(items),
                    _ => None,
                });
                values.flatten().for_each(|item| named(redactor, key, item, found));
            }
            _ => {}
        }
    }
}

fn is_content(key: &str) -> bool {
    CONTENT.binary_search(&key).is_ok()
        || CONTENT_BELOW.iter().any(|beginning| key.starts_with(beginning)) && !FACTS.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::CONTENT;

    #[test]
    fn names_are_sorted() {
        assert!(CONTENT.is_sorted());
    }
}

//! Content: what went into a model or a tool and what came out, as text or as any JSON.

use serde_json::Value;

use super::finding::{Findings, Path};
use super::shape::FieldValue;
use super::spec::FieldType;
use crate::json::Node;

/// A text, or JSON such as a list of chat messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Content(Value);

/// Members of a JSON content whose texts are for reading; others are ids, roles and sorts.
const READABLE: [&str; 7] = ["content", "text", "input", "output", "arguments", "thinking", "parts"];

impl Content {
    /// Returns the JSON.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// Returns what a person would read of it: the text itself, or the texts of its messages, one per
    /// line; JSON without such texts is returned as compact JSON.
    pub fn text(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            json => {
                let mut texts = Vec::new();
                gather(json, true, &mut texts);
                if texts.is_empty() { json.to_string() } else { texts.join("\n") }
            }
        }
    }
}

fn gather<'a>(json: &'a Value, readable: bool, texts: &mut Vec<&'a str>) {
    match json {
        Value::String(text) if readable && !text.trim().is_empty() => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| gather(item, readable, texts)),
        Value::Object(object) => {
            for (name, member) in object {
                gather(member, READABLE.contains(&name.as_str()), texts);
            }
        }
        _ => {}
    }
}

impl FieldValue for Content {
    const TYPE: FieldType = FieldType::Content;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        if value.as_text().is_some_and(|text| text.contains('\0')) {
            found.issue(at, "nul", |path| format!("`{path}` contains NUL (\\u0000), which no SQL client can read"));
            return None;
        }
        Some(Self(value.to_value()))
    }

    fn write(&self) -> Value {
        self.0.clone()
    }
}

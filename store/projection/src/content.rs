//! The readable text of what went into a call and what came out: text, or JSON such as chat messages.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

/// Members of JSON content whose texts are for reading; others are ids, roles and sorts.
const READABLE: [&str; 7] = ["content", "text", "input", "output", "arguments", "thinking", "parts"];

/// Returns what a person would read: a text itself, else the texts of its messages, one per line, else
/// the JSON as it was sent.
pub fn content_text(raw: &RawValue) -> Cow<'_, str> {
    let json = raw.get();
    let plain = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(plain) = plain.filter(|plain| !plain.contains('\\')) {
        return Cow::Borrowed(plain);
    }
    match serde_json::from_str::<Value>(json) {
        Ok(Value::String(text)) => Cow::Owned(text),
        Ok(value) => {
            let mut texts = Vec::new();
            gather(&value, true, &mut texts);
            if texts.is_empty() { Cow::Borrowed(json) } else { Cow::Owned(texts.join("\n")) }
        }
        Err(_) => Cow::Borrowed(json),
    }
}

fn gather<'a>(value: &'a Value, readable: bool, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if readable && !text.trim().is_empty() => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| gather(item, readable, texts)),
        Value::Object(members) => {
            for (name, member) in members {
                gather(member, READABLE.contains(&name.as_str()), texts);
            }
        }
        _ => {}
    }
}

//! Canonical JSON: members sorted by name, no white space. The same value always has the same bytes, whatever
//! map the JSON reader was built with.

use std::fmt::Write;

use serde_json::Value;

/// Writes `value` in canonical form.
pub fn to_string(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                scalar(&Value::from(name.as_str()), text);
                text.push(':');
                write(member, text);
            }
            text.push('}');
        }
        other => scalar(other, text),
    }
}

fn scalar(value: &Value, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{value}");
}

//! Texts, names, ids, words of money and time, lists and free objects as fields.

use std::fmt;
use std::ops::Deref;

use serde_json::{Map, Value};

use super::finding::{Findings, Path};
use super::shape::{FieldValue, map};
use super::spec::FieldType;
use crate::field::MAX_LIST_ITEMS;
use crate::id::{MAX_ID_BYTES, check_id};
use crate::json::Node;
use crate::money::Currency;
use crate::problem::Problem;
use crate::time::Timestamp;

/// A short text: at most 512 bytes, no control characters, not blank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks and wraps `text`; `field` names it in the error.
    pub fn new(field: &str, text: impl Into<String>) -> Result<Self, Problem> {
        let text = text.into();
        check_id(field, &text)?;
        Ok(Self(text))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FieldValue for Name {
    const TYPE: FieldType = FieldType::Name;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        short_text(value, "a short text", at, found).map(Self)
    }

    fn write(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// Reads what ids and names have in common. A whole number is taken as its digits: many trackers number
/// their issues, and `42` and `"42"` are the same task.
pub fn short_text(value: &Node<'_>, wanted: &str, at: &Path<'_>, found: &mut Findings) -> Option<String> {
    let text = match value {
        Node::Text(text) => text,
        Node::Number(token) if !token.contains(['.', 'e', 'E']) => token,
        other => {
            found.wrong_type(at, wanted, other);
            return None;
        }
    };
    if (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_string());
    }
    if text.trim().is_empty() {
        found.issue(at, "empty", |path| format!("`{path}` must not be empty"));
    } else if text.len() > MAX_ID_BYTES {
        found.issue(at, "too_long", |path| {
            format!("`{path}` has {} bytes; at most {MAX_ID_BYTES} are allowed", text.len())
        });
    } else if text.chars().any(char::is_control) {
        found.issue(at, "control_character", |path| format!("`{path}` contains a control character"));
    } else {
        return Some(text.to_string());
    }
    None
}

impl FieldValue for String {
    const TYPE: FieldType = FieldType::Text;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let Node::Text(text) = value else {
            found.wrong_type(at, "a text", value);
            return None;
        };
        if text.contains('\0') {
            found.issue(at, "nul", |path| format!("`{path}` contains NUL (\\u0000), which no SQL client can read"));
            return None;
        }
        Some(text.to_string())
    }

    fn write(&self) -> Value {
        Value::String(self.clone())
    }
}

impl FieldValue for bool {
    const TYPE: FieldType = FieldType::Bool;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        if let Node::Bool(flag) = value {
            return Some(*flag);
        }
        found.wrong_type(at, "true or false", value);
        None
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

impl FieldValue for Currency {
    const TYPE: FieldType = FieldType::Currency;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let Node::Text(text) = value else {
            found.wrong_type(at, "a currency code such as USD", value);
            return None;
        };
        told(at, found, |path| Self::new(path, text))
    }

    fn write(&self) -> Value {
        Value::String(self.as_str().to_owned())
    }
}

impl FieldValue for Timestamp {
    const TYPE: FieldType = FieldType::Time;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        match value {
            Node::Text(text) | Node::Number(text) => told(at, found, |path| Self::parse(path, text)),
            other => {
                found.wrong_type(at, "a time (RFC 3339, or epoch s, ms, µs, ns)", other);
                None
            }
        }
    }

    fn write(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl FieldValue for Map<String, Value> {
    const TYPE: FieldType = FieldType::Object;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        if let Node::Object(members) = value {
            return Some(map(members));
        }
        found.wrong_type(at, "an object", value);
        None
    }

    fn write(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    const TYPE: FieldType = FieldType::List(&T::TYPE);

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let Node::List(items) = value else {
            found.wrong_type(at, "a list", value);
            return None;
        };
        if items.len() > MAX_LIST_ITEMS {
            found.issue(at, "too_many", |path| {
                format!("`{path}` has {} items; at most {MAX_LIST_ITEMS} are allowed", items.len())
            });
            return None;
        }
        let read = items.iter().enumerate().map(|(index, item)| T::read(item, &Path::Index(at, index), found));
        // Every item is read before the first fault ends it, so that all faults are told at once.
        read.collect::<Vec<_>>().into_iter().collect()
    }

    fn write(&self) -> Value {
        Value::Array(self.iter().map(FieldValue::write).collect())
    }
}

/// Runs a parser that answers with a [`Problem`] and notes its fault under the value's own path.
pub fn told<T>(at: &Path<'_>, found: &mut Findings, parse: impl Fn(&str) -> Result<T, Problem>) -> Option<T> {
    // The path is only written out for the answer to a fault.
    if let Ok(value) = parse("") {
        return Some(value);
    }
    let problem = parse(&at.to_string()).err()?;
    let code = problem.issues.first().map_or("invalid", |issue| issue.code.as_str()).to_owned();
    found.issue(at, &code, |_| problem.detail);
    None
}

//! Labels: an object of short values, or a list of names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::{Findings, Path};
use super::shape::FieldValue;
use super::spec::FieldType;
use super::text::short_text;
use crate::json::{Node, number};

/// Most labels of one thing.
pub const MAX_LABELS: usize = 256;

/// Names with values, sorted by name. A list of names gives each of them the empty value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Returns names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the value under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn label_value(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<String> {
    match value {
        Node::Null => Some(String::new()),
        Node::Text(text) if text.is_empty() => Some(String::new()),
        Node::Bool(flag) => Some(flag.to_string()),
        Node::Number(token) => Some(number(token)?.to_string()),
        other => short_text(other, "a short text, a number, true or false", at, found),
    }
}

impl FieldValue for Labels {
    const TYPE: FieldType = FieldType::Labels;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let count = match value {
            Node::List(names) => names.len(),
            Node::Object(object) => object.len(),
            other => {
                found.wrong_type(at, "an object of short values, or a list of names", other);
                return None;
            }
        };
        if count > MAX_LABELS {
            found
                .issue(at, "too_many", |path| format!("`{path}` has {count} labels; at most {MAX_LABELS} are allowed"));
            return None;
        }
        let mut labels = BTreeMap::new();
        let (names, members) = match value {
            Node::List(names) => (names.as_slice(), [].as_slice()),
            Node::Object(members) => ([].as_slice(), members.as_slice()),
            _ => return None,
        };
        for (index, name) in names.iter().enumerate() {
            labels.insert(short_text(name, "a name", &Path::Index(at, index), found)?, String::new());
        }
        for (name, value) in members {
            let path = Path::Field(at, name);
            let name = short_text(&Node::Text(name.as_ref().into()), "a name", &path, found)?;
            labels.insert(name, label_value(value, &path, found)?);
        }
        Some(Self(labels))
    }

    fn write(&self) -> Value {
        self.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<serde_json::Map<_, _>>().into()
    }
}

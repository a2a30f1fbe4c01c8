//! How much of the content of a source is kept.

use serde::{Deserialize, Serialize};

use super::{Redactions, Redactor};
use crate::json::Node;

/// What is kept of texts such as prompts and answers. Secrets are taken out in every mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentMode {
    /// Everything but secrets.
    #[default]
    Full,
    /// Also without e-mail addresses, phone numbers, card numbers and IP addresses.
    Redacted,
    /// No content at all: the fields are dropped, those that a kind needs hold [`DROPPED`].
    None,
}

/// Stands where a field must not be missing, but its content was dropped.
pub const DROPPED: &str = "[content dropped]";

/// Fields of `data` that hold content, not facts about it.
const CONTENT: &[&str] = &[
    "completion",
    "content",
    "error",
    "explanation",
    "input",
    "messages",
    "note",
    "output",
    "prompt",
    "reason",
    "summary",
    "text",
];

/// Fields that the kind cannot be without.
const NEEDED: &[(&str, &str)] =
    &[("knowledge.noted", "text"), ("message.sent", "text"), ("question.asked", "text"), ("answer.given", "text")];

impl Redactor {
    /// Applies the content mode of `source` to the content fields of `data`.
    pub(crate) fn content(&self, source: &str, kind: &str, data: &mut Node<'_>, found: &mut Redactions) {
        let mode = self.content_of(source);
        let Node::Object(members) = data else { return };
        if mode == ContentMode::Full {
            return;
        }
        members.retain_mut(|(key, value)| {
            if !CONTENT.contains(&key.as_ref()) || *value == Node::Null {
                return true;
            }
            if mode == ContentMode::Redacted {
                self.node(value, mode, found);
                return true;
            }
            *found.entry("content".to_owned()).or_default() += 1;
            let needed = NEEDED.contains(&(kind, key.as_ref()));
            if needed {
                *value = Node::Text(DROPPED.into());
            }
            needed
        });
    }
}

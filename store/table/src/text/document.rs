//! One version of one document, as search keeps it.

use partitura_event::Position;
use serde::{Deserialize, Serialize};

/// One version of one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Position of the event that made this version: its name.
    pub version: Position,
    /// `{kind}/{id}`: the key that all its versions share.
    pub doc_id: String,
    /// `task`, `interaction`, `knowledge`, …
    pub kind: String,
    /// Short name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The whole text.
    pub text: String,
    /// For a turn of a conversation: the turns before it, one per line, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Agent that it is by or about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Task that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// Attempt that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_id: Option<String>,
    /// Thread it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// Project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// When it happened, µs since 1970.
    pub time: i64,
    /// From when it holds (knowledge), µs since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Until when it holds (knowledge), µs since 1970, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<i64>,
    /// Orders the turns of a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
}

impl Document {
    /// Makes a document without optional fields.
    pub fn new(version: Position, doc_id: impl Into<String>, kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            version,
            doc_id: doc_id.into(),
            kind: kind.into(),
            title: None,
            text: text.into(),
            context: None,
            agent_id: None,
            task_id: None,
            attempt_id: None,
            conversation_id: None,
            project_id: None,
            model: None,
            tags: Vec::new(),
            time: 0,
            valid_from: None,
            valid_to: None,
            seq: None,
        }
    }

    /// Returns the text as its speaker said it: a turn of a conversation begins with who speaks.
    ///
    /// Who speaks is half of what a turn means, and questions name people.
    pub fn spoken(&self) -> String {
        match (&self.conversation_id, &self.agent_id) {
            (Some(_), Some(speaker)) if !self.text.is_empty() => format!("{speaker}: {}", self.text),
            _ => self.text.clone(),
        }
    }
}

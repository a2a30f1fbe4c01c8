//! What a caller gets.

use std::collections::BTreeMap;

use partitura_event::{Position, Timestamp};
use partitura_table::text::Document;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The answer to a search.
#[derive(Clone, Debug, Serialize)]
pub struct SearchReply {
    /// Time it took, in milliseconds.
    pub took_ms: u64,
    /// Position at which it was answered.
    pub position: Option<Position>,
    /// Best first.
    pub hits: Vec<Hit>,
    /// How often each value occurs among the ranked documents, by column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, BTreeMap<String, u64>>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// What the answer lacks, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One document.
#[derive(Clone, Debug, Serialize)]
pub struct Hit {
    /// Key of the document: `{kind}/{id}`.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The whole text.
    pub text: String,
    /// The best part of the text as HTML, words marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highlight: Option<String>,
    /// What the hits are sorted by.
    pub score: f32,
    /// Where the score comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<HitScores>,
    /// The other columns of `documents`.
    pub fields: Map<String, Value>,
    /// Position that made this version of the document.
    pub version: Position,
    /// The part of the text that is nearest by meaning, in bytes.
    #[serde(skip)]
    pub near: Option<(u32, u32)>,
}

/// Where a score comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HitScores {
    /// BM25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<f32>,
    /// Cosine of the nearest chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<f32>,
    /// Place among the words' hits, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_text: Option<usize>,
    /// Place among the vectors' hits, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_vector: Option<usize>,
    /// What age left of the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recency: Option<f32>,
    /// Share of the vectors in a weighted sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f32>,
}

/// Returns the columns of a document that a hit has no field of its own for.
pub(super) fn fields(document: &Document) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("agent_id", json!(document.agent_id));
    put("task_id", json!(document.task_id));
    put("attempt_id", json!(document.attempt_id));
    put("conversation_id", json!(document.conversation_id));
    put("project_id", json!(document.project_id));
    put("model", json!(document.model));
    if !document.tags.is_empty() {
        put("tags", json!(document.tags));
    }
    put("time", time(Some(document.time)));
    put("valid_from", time(document.valid_from));
    put("valid_to", time(document.valid_to));
    fields
}

fn time(micros: Option<i64>) -> Value {
    micros.and_then(Timestamp::from_micros).map_or(Value::Null, |time| json!(time))
}

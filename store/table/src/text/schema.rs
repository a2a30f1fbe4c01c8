//! The fields of the index, and how a document fills them.

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TokenizerManager;

use super::document::Document;
use super::tokens;

/// Raise it when fields or analysis change: an index of another format is built again.
pub(super) const FORMAT: u32 = 3;

/// Columns whose values can be counted, each by its name in `documents`.
pub(super) const COUNTED: &[&str] =
    &["kind", "agent_id", "task_id", "attempt_id", "conversation_id", "project_id", "model", "tags"];

/// The fields of the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// Position that made the version.
    pub version: Field,
    /// When it happened, µs since 1970.
    pub time: Field,
    /// Until when it holds, µs since 1970; most have none.
    pub valid_to: Field,
    /// Place in a conversation.
    pub seq: Field,
    /// The columns of [`COUNTED`], in its order.
    pub counted: [Field; COUNTED.len()],
    /// Ids by which it is found exactly.
    pub ids: Field,
    /// Title and text.
    pub body: Field,
    /// Title alone, so that a word in it counts more.
    pub title: Field,
    /// The turns before.
    pub context: Field,
    /// Names of code.
    pub code: Field,
    /// Title in whole words, for completion.
    pub complete: Field,
    /// The document as JSON.
    pub stored: Field,
}

impl Fields {
    /// Returns the fields and the schema of a new index.
    pub fn new() -> (Self, Schema) {
        let mut schema = Schema::builder();
        let mut text = |name: &str, tokenizer: &str, record: IndexRecordOption| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record);
            schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
        };
        let fields = Self {
            body: text("body", "prose", IndexRecordOption::WithFreqsAndPositions),
            title: text("title", "prose", IndexRecordOption::WithFreqs),
            context: text("context", "prose", IndexRecordOption::WithFreqs),
            code: text("code", "code", IndexRecordOption::WithFreqs),
            complete: text("complete", "plain", IndexRecordOption::WithFreqsAndPositions),
            version: schema.add_u64_field("version", FAST | INDEXED),
            time: schema.add_i64_field("time", FAST),
            valid_to: schema.add_i64_field("valid_to", FAST),
            seq: schema.add_i64_field("seq", FAST),
            counted: std::array::from_fn(|at| schema.add_text_field(COUNTED[at], FAST)),
            ids: schema.add_text_field("ids", STRING),
            stored: schema.add_bytes_field("stored", STORED),
        };
        (fields, schema.build())
    }

    /// Returns the document as tantivy keeps it.
    pub fn fill(&self, document: &Document) -> Result<TantivyDocument, serde_json::Error> {
        let mut filled = TantivyDocument::new();
        filled.add_u64(self.version, document.version.get());
        filled.add_i64(self.time, document.time);
        if let Some(seq) = document.seq {
            filled.add_i64(self.seq, seq);
        }
        if let Some(end) = document.valid_to {
            filled.add_i64(self.valid_to, end);
        }
        for (field, column) in self.counted.iter().zip(COUNTED) {
            values(document, column).into_iter().for_each(|value| filled.add_text(*field, value));
        }
        for id in ids(document) {
            filled.add_text(self.ids, id);
        }
        let spoken = document.spoken();
        filled.add_text(self.code, &spoken);
        if let Some(title) = document.title.as_deref().filter(|title| !title.is_empty()) {
            filled.add_text(self.title, title);
            filled.add_text(self.complete, title);
            filled.add_text(self.code, title);
            // One value, so that frequencies and length are those of one text.
            let repeats = document.text.starts_with(title);
            filled.add_text(self.body, if repeats { spoken } else { format!("{title}\n{spoken}") });
        } else {
            filled.add_text(self.body, spoken);
        }
        if let Some(context) = &document.context {
            filled.add_text(self.context, context);
        }
        filled.add_bytes(self.stored, &serde_json::to_vec(document)?);
        Ok(filled)
    }
}

/// Returns the values of a counted column.
fn values<'a>(document: &'a Document, column: &str) -> Vec<&'a str> {
    let one = match column {
        "kind" => Some(&document.kind),
        "agent_id" => document.agent_id.as_ref(),
        "task_id" => document.task_id.as_ref(),
        "attempt_id" => document.attempt_id.as_ref(),
        "conversation_id" => document.conversation_id.as_ref(),
        "project_id" => document.project_id.as_ref(),
        "model" => document.model.as_ref(),
        "tags" => return document.tags.iter().map(String::as_str).collect(),
        _ => None,
    };
    one.map(String::as_str).into_iter().collect()
}

/// Returns the ids by which a document is found, in lower case.
fn ids(document: &Document) -> Vec<String> {
    let own = document.doc_id.rsplit_once('/').map(|(_, id)| id.to_owned());
    let related = [&document.task_id, &document.attempt_id, &document.conversation_id];
    let mut ids: Vec<String> = own.into_iter().chain(related.into_iter().flatten().cloned()).collect();
    ids.push(document.doc_id.clone());
    ids.iter_mut().for_each(|id| *id = id.to_lowercase());
    ids.sort();
    ids.dedup();
    ids
}

/// Returns the analysers that the fields name.
pub(super) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register("prose", tokens::prose());
    manager.register("plain", tokens::plain());
    manager.register("code", tokens::code());
    manager
}

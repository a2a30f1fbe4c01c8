//! Rows that became no event: one JSON line each, with the reason, and without secrets.

use partitura_event::Problem;
use serde::Serialize;

use super::rows::{BadRow, Row};
use crate::json::{self, Node};
use crate::limits::Limits;
use crate::redact::Redactor;

/// Longest piece of the row that is kept, in bytes.
const MAX_RAW: usize = 8_192;

/// One line of a rejects file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// The file's name.
    pub file: String,
    /// Place in the file, from 1.
    pub row: u64,
    /// Id of the event, where the row had got so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why.
    pub reason: String,
    /// The row, redacted, cut at 8 KiB.
    pub raw: String,
}

impl Reject {
    /// Of a row that could not be mapped, or whose event would be refused.
    pub fn of_row(row: &Row, problem: &Problem, redactor: &Redactor) -> Self {
        Self::new(&row.file, row.number, &problem.to_string(), &row.value.compact(), redactor)
    }

    /// Of a row that could not be read.
    pub fn of_bad_row(file: &str, bad: &BadRow, redactor: &Redactor) -> Self {
        Self::new(file, bad.number, &bad.problem.to_string(), &bad.raw, redactor)
    }

    /// Of an event that was made of a row and that the server refused.
    pub fn of_event(file: &str, row: u64, event: &str, reason: &str, redactor: &Redactor) -> Self {
        let node = json::parse(event, &Limits::default()).ok();
        let id = node.as_ref().and_then(|node| node.get("id")).and_then(Node::as_text);
        let id = id.map(|id| redactor.shown(id));
        Self { id, ..Self::new(file, row, reason, event, redactor) }
    }

    fn new(file: &str, row: u64, reason: &str, raw: &str, redactor: &Redactor) -> Self {
        // Redact first, cut then: a secret that is cut in two is not found any more.
        let raw = redactor.shown_json(raw);
        Self {
            file: file.to_owned(),
            row,
            id: None,
            reason: redactor.shown(reason),
            raw: raw[..raw.floor_char_boundary(MAX_RAW)].to_owned(),
        }
    }
}

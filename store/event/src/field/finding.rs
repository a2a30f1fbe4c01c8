//! What reading a payload finds: faults that refuse it, and unknown fields that are kept with a warning.

use std::fmt;

use serde::Serialize;

use crate::json::Node;
use crate::problem::{ErrorClass, Issue, Problem};

/// Most issues, and most warnings, that one event is answered with.
pub const MAX_FINDINGS: usize = 64;

/// Where a value stands, built on the stack while reading: `data.meters[1].unit`.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// The payload.
    Data,
    /// A member of an object.
    Field(&'a Path<'a>, &'a str),
    /// An item of a list.
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data => f.write_str("data"),
            Self::Field(parent, name) => write!(f, "{parent}.{name:.64}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A field that the kind does not know: kept in `attributes`, told to the writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Its path.
    pub path: String,
    /// Known fields that resemble it, best first.
    pub nearest: Vec<String>,
}

/// The result of checking a payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Faults; the event is refused when there is one. At most [`MAX_FINDINGS`].
    pub issues: Vec<Issue>,
    /// Unknown fields. At most [`MAX_FINDINGS`].
    pub warnings: Vec<Warning>,
    /// Unknown fields beyond those listed.
    pub warnings_left_out: usize,
}

impl Checked {
    /// Returns the problem to answer with, when there is a fault.
    pub fn into_problem(self, kind: &str) -> Option<Problem> {
        let first = self.issues.first()?;
        let more = match self.issues.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        let detail = format!("{kind:.80}: {}{more}", first.message);
        let hint = format!("the schema of this kind is at /v1/schemas/{kind:.80}");
        let problem = Problem::new(ErrorClass::Invalid, detail).code("invalid_data").hint(hint);
        Some(Problem { issues: self.issues, ..problem })
    }
}

/// Collects while reading. Warnings are only collected where somebody will read them.
#[derive(Debug, Default)]
pub struct Findings {
    checked: Checked,
    wants_warnings: bool,
}

impl Findings {
    /// Collects faults and warnings: at the door.
    pub fn of_writer() -> Self {
        Self { wants_warnings: true, ..Self::default() }
    }

    /// Collects faults only: when folding what the log holds.
    pub fn of_reader() -> Self {
        Self::default()
    }

    /// Notes a fault.
    pub fn issue(&mut self, at: &Path<'_>, code: &str, message: impl FnOnce(&str) -> String) {
        if self.checked.issues.len() < MAX_FINDINGS {
            let path = at.to_string();
            let message = message(&path);
            self.checked.issues.push(Issue { path, code: code.to_owned(), message });
        }
    }

    /// Notes that `value` is not the `wanted` sort of value.
    pub fn wrong_type(&mut self, at: &Path<'_>, wanted: &str, value: &Node<'_>) {
        self.issue(at, "type", |path| format!("`{path}` must be {wanted}, not {}", sort(value)));
    }

    /// Notes an unknown field.
    pub fn warning(&mut self, at: &Path<'_>, nearest: impl FnOnce() -> Vec<String>) {
        if !self.wants_warnings {
            return;
        }
        if self.checked.warnings.len() < MAX_FINDINGS {
            self.checked.warnings.push(Warning { path: at.to_string(), nearest: nearest() });
        } else {
            self.checked.warnings_left_out += 1;
        }
    }

    /// Ends the collection.
    pub fn finish(self) -> Checked {
        self.checked
    }
}

/// Names the sort of a JSON value, with the value itself where it is short.
pub fn sort(value: &Node<'_>) -> String {
    match value {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Number(token) => format!("the number {token:.40}"),
        Node::Text(text) if text.chars().take(41).count() <= 40 => format!("the text {text:?}"),
        Node::Text(_) => "a long text".to_owned(),
        Node::List(_) => "a list".to_owned(),
        Node::Object(_) => "an object".to_owned(),
    }
}

//! Priority: 0 (low) to 4 (critical), or a name.

use serde_json::Value;

use super::finding::{Findings, Path};
use super::shape::FieldValue;
use super::spec::FieldType;
use super::word::read_word;
use crate::json::Node;

/// How urgent a task is. A greater number is more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

/// The names that are read, each with its number. The first name of a number is its own.
const NAMES: [(&str, u8); 7] =
    [("low", 0), ("normal", 1), ("high", 2), ("urgent", 3), ("critical", 4), ("medium", 1), ("blocker", 4)];

impl Priority {
    /// What a task has that does not say.
    pub const NORMAL: Self = Self(1);
    /// The names that are read.
    pub const WORDS: &'static [&'static str] = &["low", "normal", "high", "urgent", "critical", "medium", "blocker"];

    /// Wraps 0 to 4.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 4 { Some(Self(number)) } else { None }
    }

    /// Returns 0 to 4.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Returns its name: low, normal, high, urgent or critical.
    pub const fn name(self) -> &'static str {
        NAMES[self.0 as usize].0
    }
}

impl FieldValue for Priority {
    const TYPE: FieldType = FieldType::Priority;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let Node::Number(token) = value else {
            return read_word(Self::WORDS, value, at, found).map(|index| Self(NAMES[index].1));
        };
        let read = token.parse::<u8>().ok().and_then(Self::new);
        if read.is_none() {
            found.issue(at, "range", |path| {
                format!("`{path}` = {token:.40} must be 0 (low) to 4 (critical), or a name such as \"high\"")
            });
        }
        read
    }

    fn write(&self) -> Value {
        Value::from(self.0)
    }
}

//! Conditions: what must be true of outcomes and artifacts for a piece of work to count as a success.
//!
//! ```json
//! {"all": [{"outcome": {"name": "tests", "at_least": 1}},
//!          {"any": [{"artifact": {"kind": "pull_request", "state": "merged"}}, {"result": "succeeded"}]}]}
//! ```
//! The text `"success"` is short for `{"outcome": {"success": true}}`.

use serde_json::{Map, Value};

use super::finding::{Findings, Path};
use super::shape::{FieldValue, Shape, shape};
use super::spec::FieldType;
use super::text::Name;
use crate::json::Node;
use crate::kind::attempts::AttemptResult;
use crate::kind::outcomes::Evaluator;

/// Deepest nesting of a condition.
pub const MAX_CONDITION_DEPTH: usize = 16;

/// A condition over the outcomes, the artifacts and the result of one attempt or task.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All hold (an empty list holds).
    All(Vec<Condition>),
    /// At least one holds (an empty list does not).
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Of the outcomes that match name and evaluator, the one that decides satisfies the rest.
    Outcome(OutcomeCondition),
    /// An artifact is in this state.
    Artifact(ArtifactCondition),
    /// The attempt ended with this result.
    Result(AttemptResult),
}

shape! {
    /// Which outcome is asked for, and what it must say.
    OutcomeCondition {
        /// Only outcomes of this name.
        name: Option<Name>,
        /// Only outcomes by this evaluator.
        evaluator: Option<Evaluator>,
        /// The value must be this or more.
        at_least: Option<f64>,
        /// The value must be this or less.
        at_most: Option<f64>,
        /// The label must be this one (compared case-insensitively).
        label: Option<Name>,
        /// What the outcome's own success must be.
        success: Option<bool>,
    }

    /// Which artifact is asked for.
    ArtifactCondition {
        /// Only artifacts of this kind.
        kind: Option<Name>,
        /// The state that it must be in.
        state: Name,
    }
}

const WANTED: &str = "\"success\", or an object with one of all, any, not, outcome, artifact, result";

fn read(value: &Node<'_>, depth: usize, at: &Path<'_>, found: &mut Findings) -> Option<Condition> {
    if depth > MAX_CONDITION_DEPTH {
        found.issue(at, "too_deep", |path| format!("`{path}` is nested deeper than {MAX_CONDITION_DEPTH} levels"));
        return None;
    }
    let (name, inner) = match value {
        Node::Text(text) if text == "success" => {
            let success = Node::Object(vec![("success".into(), Node::Bool(true))]);
            return OutcomeCondition::read(&success, at, found).map(Condition::Outcome);
        }
        Node::Object(object) if object.len() == 1 => {
            let (name, inner) = object.first()?;
            (name.as_ref(), inner)
        }
        other => {
            found.wrong_type(at, WANTED, other);
            return None;
        }
    };
    let at = &Path::Field(at, name);
    match name {
        "all" => read_list(inner, depth, at, found).map(Condition::All),
        "any" => read_list(inner, depth, at, found).map(Condition::Any),
        "not" => read(inner, depth + 1, at, found).map(|inner| Condition::Not(Box::new(inner))),
        "outcome" => OutcomeCondition::read(inner, at, found).map(Condition::Outcome),
        "artifact" => ArtifactCondition::read(inner, at, found).map(Condition::Artifact),
        "result" => AttemptResult::read(inner, at, found).map(Condition::Result),
        _ => {
            found.issue(at, "unknown", |path| format!("`{path}` is not known; write {WANTED}"));
            None
        }
    }
}

fn read_list(value: &Node<'_>, depth: usize, at: &Path<'_>, found: &mut Findings) -> Option<Vec<Condition>> {
    match value {
        Node::List(items) if items.len() <= super::MAX_LIST_ITEMS => {
            items.iter().enumerate().map(|(i, item)| read(item, depth + 1, &Path::Index(at, i), found)).collect()
        }
        other => {
            found.wrong_type(at, "a list of at most 1,000 conditions", other);
            None
        }
    }
}

impl FieldValue for Condition {
    const TYPE: FieldType = FieldType::Condition;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        read(value, 0, at, found)
    }

    fn write(&self) -> Value {
        let list = |items: &[Self]| Value::Array(items.iter().map(FieldValue::write).collect());
        let (name, inner) = match self {
            Self::All(items) => ("all", list(items)),
            Self::Any(items) => ("any", list(items)),
            Self::Not(inner) => ("not", inner.write()),
            Self::Outcome(outcome) => ("outcome", Value::Object(outcome.write_object())),
            Self::Artifact(artifact) => ("artifact", Value::Object(artifact.write_object())),
            Self::Result(result) => ("result", result.write()),
        };
        Value::Object(Map::from_iter([(name.to_owned(), inner)]))
    }
}

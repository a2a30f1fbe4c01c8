//! Kinds: the events that Partitura understands, each with its fields, its stream and its rank.
//!
//! The table of all kinds is in `vocabulary.rs`; the fields are in one file per family. Unknown types are
//! accepted, kept and queryable: [`Kind::decode`] answers `None` for them and nobody folds them.

mod spec;
mod vocabulary;

pub mod agents;
pub mod alerts;
pub mod attempts;
pub mod decisions;
pub mod economics;
pub mod experiments;
pub mod governance;
pub mod interactions;
pub mod knowledge;
pub mod messages;
pub mod outcomes;
pub mod policy;
pub mod tasks;
pub mod telemetry;

pub use spec::{Entity, KindSpec, Rule};
pub use vocabulary::Kind;

use serde_json::Value;

use crate::field::{Checked, Findings};
use crate::id::{EventType, StreamName};
use crate::json::Node;
use crate::problem::{ErrorClass, Problem, nearest};

/// Returns every kind, in the order of the reference.
pub fn all() -> &'static [KindSpec] {
    vocabulary::ALL
}

/// Returns the kind of this name, or `None` when it is not known.
pub fn find(type_name: &str) -> Option<&'static KindSpec> {
    vocabulary::find(type_name)
}

/// Checks a payload at the door: faults refuse it, unknown fields are kept and told. A payload of an unknown
/// type only has to be an object.
pub fn check(kind: &EventType, data: &Node<'_>) -> Checked {
    let mut found = Findings::of_writer();
    Kind::read(kind.as_str(), data, &mut found);
    found.finish()
}

/// Returns the known type that resembles `name`, so that a misspelt one can be told.
pub fn nearest_type(name: &str) -> Option<&'static str> {
    let near = nearest(name, all().iter().map(|spec| spec.type_name), 1);
    near.first().and_then(|near| find(near)).map(|spec| spec.type_name)
}

/// Returns the stream of an event that names neither stream nor subject: `task/42`. `None` for unknown types
/// and where the payload names no entity; the caller then takes the source.
pub fn default_stream(kind: &EventType, data: &Node<'_>) -> Option<StreamName> {
    let entity = find(kind.as_str())?.entity;
    let id = entity.fields.iter().find_map(|field| match data.get(field)? {
        Node::Text(text) | Node::Number(text) => Some(text.as_ref()),
        _ => None,
    });
    let id = id.or(entity.otherwise)?;
    StreamName::new(format!("{}/{id}", entity.name)).ok()
}

impl Kind {
    /// Decodes the payload of a recorded event; `None` for an unknown type. What [`check`] accepted once is
    /// decoded for ever; an error means that the event was not written through the door.
    pub fn decode(kind: &str, data: &str) -> Result<Option<Self>, Problem> {
        if find(kind).is_none() {
            return Ok(None);
        }
        let data: Value = serde_json::from_str(data).map_err(|error| {
            Problem::new(ErrorClass::Malformed, format!("the payload of {kind} is not JSON: {error}"))
        })?;
        Self::from_value(kind, &data)
    }

    /// Decodes a payload that was parsed already.
    pub fn from_value(kind: &str, data: &Value) -> Result<Option<Self>, Problem> {
        let mut found = Findings::of_reader();
        let decoded = Self::read(kind, &Node::from(data), &mut found);
        match found.finish().into_problem(kind) {
            None => Ok(decoded),
            Some(problem) => Err(problem),
        }
    }
}

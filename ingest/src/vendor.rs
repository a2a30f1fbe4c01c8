//! What SDKs of other platforms send besides OTLP → what is known here already. Pure, as all of ingestion.
//!
//! A platform's span becomes a span in OTLP ([`Span`]) in the words of its convention, and goes the way of all
//! telemetry: raw record, redaction, translation by a projection. A platform's score becomes a [`Judgement`], the data
//! of an `outcome.recorded`. Ids are mapped in one way ([`id`]) for both, so that a score finds its span whichever
//! comes first.
//!
//! An item that cannot be read has its own [`Problem`] and never stops its neighbours.

pub mod id;
pub mod langfuse;
pub mod openai_agents;
pub mod phoenix;

mod judgement;
mod span;

use partitura_event::{ErrorClass, Problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

pub use judgement::Judgement;
pub use span::{Span, request};

/// Reads the parts of a body before anything in them is looked at.
fn outer<'a, T: Deserialize<'a>>(body: &'a [u8], wanted: &str) -> Result<T, Problem> {
    let text = crate::json::text_of(body)?;
    serde_json::from_str(text).map_err(|error| {
        let problem = Problem::new(ErrorClass::Malformed, format!("the body is not {wanted}: {error}"));
        problem.code("invalid_json")
    })
}

/// Reads one item. What it has besides is left out.
fn item<T: DeserializeOwned>(raw: &RawValue) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(|error| {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or(&text);
        Problem::new(ErrorClass::Invalid, format!("the item does not fit: {what}")).code("wrong_type")
    })
}

fn missing(name: &str) -> Problem {
    Problem::invalid_field(name, "missing", format!("the field `{name}` is missing"))
}

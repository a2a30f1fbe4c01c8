//! The arguments of a call, as they were sent.

use std::collections::BTreeMap;

use partitura_event::{Position, Problem};
use partitura_service::{AsOf, ReadAt, fields};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::budget::{TOKENS, TOKENS_MAX};

/// Members by name, each in its own spelling.
pub type Members = BTreeMap<String, Box<RawValue>>;

/// Reads typed arguments; an unknown name is refused with the nearest one.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    fields::read(text.as_bytes())
}

/// Takes a text out of the members.
pub fn take_text(members: &mut Members, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = members.remove(name).filter(|value| value.get() != "null") else { return Ok(None) };
    serde_json::from_str(value.get()).map(Some).map_err(|_| {
        Problem::invalid_field(name, "wrong_type", format!("`{name}` takes a text, not {:.60}", value.get()))
    })
}

/// Takes the budget of the answer's text out of an object that is otherwise the service's to read.
pub fn take_max_tokens(object: &mut Value) -> Result<usize, Problem> {
    let given = object.as_object_mut().and_then(|members| members.remove("max_tokens"));
    match given.filter(|value| !value.is_null()) {
        None => max_tokens(None),
        Some(value) => match value.as_u64() {
            Some(number) => max_tokens(Some(number)),
            None => {
                let detail = format!("`max_tokens` takes a whole number, not {value:.60}");
                Err(Problem::invalid_field("max_tokens", "wrong_type", detail))
            }
        },
    }
}

/// Checks the budget of an answer's text.
pub fn max_tokens(given: Option<u64>) -> Result<usize, Problem> {
    let Some(given) = given else { return Ok(TOKENS) };
    match usize::try_from(given) {
        Ok(tokens) if (1..=TOKENS_MAX).contains(&tokens) => Ok(tokens),
        _ => {
            let detail = format!("`max_tokens` = {given} is not between 1 and {TOKENS_MAX}");
            Err(Problem::invalid_field("max_tokens", "out_of_range", detail))
        }
    }
}

/// Reads at which position a read is answered.
pub fn read_at(min_position: Option<u64>, wait_ms: Option<u64>, as_of: Option<&Value>) -> Result<ReadAt, Problem> {
    let as_of = as_of.map(AsOf::from_json).transpose()?.flatten();
    Ok(ReadAt { min_position: min_position.and_then(Position::new), wait_ms, as_of })
}

//! The data of an event: JSON text that was checked once, when it came in.

use serde::de::IgnoredAny;

use crate::problem::{ErrorClass, Problem};

/// One JSON object, compact. What is in a `Payload` was checked: by [`Payload::new`], by the decoder that
/// wrote it from a tree, or by the log, whose checksums cover it. So reading ten million events parses
/// none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Box<str>);

impl Payload {
    /// Checks that `json` is one JSON value, and wraps it.
    pub fn new(json: impl Into<String>) -> Result<Self, Problem> {
        let json = json.into();
        serde_json::from_str::<IgnoredAny>(&json).map_err(|error| {
            Problem::new(ErrorClass::Malformed, format!("the payload is not JSON: {error}")).code("payload")
        })?;
        Ok(Self(json.into_boxed_str()))
    }

    /// Wraps what a JSON writer has just written, or what a log has read back under its checksums.
    pub fn trusted(json: String) -> Self {
        Self(json.into_boxed_str())
    }

    /// Returns the text.
    pub const fn get(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

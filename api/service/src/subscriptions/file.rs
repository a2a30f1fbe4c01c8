//! What a subscription leaves on disk: one small file, replaced whole.

use std::path::Path;

use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::state::Kept;
use crate::durable_file;
use crate::folder::unwritable;

/// Version of the file that this program reads and writes.
const FORMAT: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    format: u32,
    /// What it is.
    pub definition: Definition,
    /// How far it is.
    pub state: Kept,
}

impl File {
    /// Puts both together.
    pub const fn new(definition: Definition, state: Kept) -> Self {
        Self { format: FORMAT, definition, state }
    }

    /// Reads it. Errors when it is damaged, or of a newer format.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = std::fs::read(path).map_err(|error| unwritable(path, &error))?;
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new(ErrorClass::Corrupt, format!("{} cannot be read: {error}", path.display()))
                .hint("move the file away and make the subscription again from a position that you trust")
        })?;
        if file.format != FORMAT {
            let detail = format!("{} is of format {}; this program reads {FORMAT}", path.display(), file.format);
            return Err(Problem::new(ErrorClass::Unavailable, detail).code("format_newer"));
        }
        Ok(file)
    }

    /// Replaces what is there; durable when it returns.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let text = serde_json::to_vec(self).map_err(|error| Problem::new(ErrorClass::Internal, error.to_string()))?;
        durable_file::replace(path, &text).map_err(|error| unwritable(path, &error))
    }
}

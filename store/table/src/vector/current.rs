//! The file `CURRENT`: which Lance version is whole on disk.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Serialize};

use crate::durable::sync_folder;
use crate::fault;

const FORMAT: u32 = 1;
const NAME: &str = "CURRENT";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Current {
    format: u32,
    /// Whose vectors, for people.
    pub model: String,
    /// Their length.
    pub dims: usize,
    /// Version of the Lance table.
    pub version: u64,
    /// What the approximate index of that version has shown, when there is one that is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
}

impl Current {
    pub fn new(model: &str, dims: usize, version: u64, recall: Option<f64>) -> Self {
        Self { format: FORMAT, model: model.to_owned(), dims, version, recall }
    }

    /// Reads the file of a folder; `None` when there is none, or one of another format or length.
    pub fn read(folder: &Path, dims: usize) -> Result<Option<Self>, Problem> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault::file("cannot read", &path, &error)),
        };
        let read: Self = serde_json::from_slice(&text).map_err(|error| {
            Problem::new(ErrorClass::Corrupt, format!("{} cannot be read: {error}", path.display()))
                .hint("remove the folder `search` of the data folder: vectors are computed again")
        })?;
        Ok((read.format == FORMAT && read.dims == dims).then_some(read))
    }

    /// Replaces the file, durably.
    pub fn write(&self, folder: &Path) -> Result<(), Problem> {
        let (path, temporary) = (folder.join(NAME), folder.join("CURRENT.tmp"));
        let text = serde_json::to_vec(self).map_err(|error| fault::internal("vectors", error))?;
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| fault::file("cannot write", &path, &error))?;
        sync_folder(folder)
    }
}

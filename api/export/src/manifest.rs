//! `_partitura.json`: which files of a data set count, and up to which position they go.

use std::collections::BTreeMap;

use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Serialize};

/// Its name in the target; readers of data sets pass over names that begin with `_`.
pub const NAME: &str = "_partitura.json";
/// Version of what it says.
const FORMAT: u32 = 1;

/// What a data set is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file.
    pub format: u32,
    /// Position of the last export.
    pub position: u64,
    /// Tables by name.
    pub tables: BTreeMap<String, Written>,
}

/// What is written of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// How it was asked for: kind of file, partitions, query and columns. What is asked for otherwise is begun anew.
    pub asked: String,
    /// Up to which position its rows are in the files.
    pub position: u64,
    /// The files, in order of their paths.
    pub files: Vec<File>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Where it is, from the manifest's folder.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes.
    pub hash: String,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { format: FORMAT, position: 0, tables: BTreeMap::new() }
    }
}

impl Manifest {
    /// Reads one. Errors when it is no manifest, or one of a newer program.
    pub fn read(bytes: &[u8], at: &str) -> Result<Self, Problem> {
        let wrong = |what: String| {
            Problem::new(ErrorClass::Conflict, format!("{at}/{NAME} {what}"))
                .code("export_manifest")
                .hint("choose another folder; to begin anew in this one, remove the file and what it lists")
        };
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("is not a manifest of an export: {error}")))?;
        if manifest.format != FORMAT {
            return Err(wrong(format!("is of format {}; this program reads format {FORMAT}", manifest.format)));
        }
        Ok(manifest)
    }

    /// Writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Refuses to go on from a manifest of another server's log.
    pub fn check_position(&self, position: u64, at: &str) -> Result<(), Problem> {
        if self.position <= position {
            return Ok(());
        }
        let detail = format!("{at} was exported at position {}, but the server is at {position}", self.position);
        Err(Problem::new(ErrorClass::Conflict, detail).code("export_of_another_log").hint(
            "it is of another server or workspace: choose another folder, or wait until the tables have caught up",
        ))
    }
}

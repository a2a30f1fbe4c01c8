//! The file `COMMIT`: which version of which table belongs to which position of the log.
//!
//! It is the only truth about the tables' folder. It is replaced as a whole (temporary file, fsync,
//! rename, fsync of the folder) after everything it names is on disk, so that all tables of all
//! workspaces move from one position to the next at once, or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use partitura_event::{ErrorClass, Position, Problem};
use serde::{Deserialize, Serialize};

use crate::durable::sync_folder;
use crate::epoch::Epoch;
use crate::fault;

/// The format that this program writes, and the only one it reads.
const FORMAT: u32 = 1;
const NAME: &str = "COMMIT";
const TEMPORARY: &str = "COMMIT.tmp";

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Commit {
    format: u32,
    /// Counts the commits of this folder.
    pub epoch: u64,
    /// Number that no folder of a table has borne yet.
    pub next_generation: u64,
    /// Everything up to here is in the tables.
    pub position: Option<Position>,
    pub workspaces: BTreeMap<String, WorkspaceCommit>,
}

/// The tables of one workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkspaceCommit {
    /// By name; closed versions are under `{name}_history`.
    pub tables: BTreeMap<String, TableCommit>,
}

/// One Lance table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableCommit {
    /// Folder, relative to that of all tables.
    pub path: String,
    /// Lance version.
    pub version: u64,
}

impl Default for Commit {
    fn default() -> Self {
        Self { format: FORMAT, epoch: 0, next_generation: 1, position: None, workspaces: BTreeMap::new() }
    }
}

impl Commit {
    /// Reads the file; without one the folder is new.
    pub fn read(root: &Path) -> Result<Option<Self>, Problem> {
        let path = root.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault::file("cannot read", &path, &error)),
        };
        let damaged = |why: String| {
            Problem::new(ErrorClass::Corrupt, format!("{} is not a commit file: {why}", path.display()))
                .hint("stop the server, remove the folder `tables` and start it again: it is rebuilt from the log")
        };
        let format = serde_json::from_slice::<serde_json::Value>(&text).map_err(|error| damaged(error.to_string()))?;
        let format = format.get("format").and_then(serde_json::Value::as_u64);
        match format.ok_or_else(|| damaged("it has no format".into()))? {
            format if format == u64::from(FORMAT) => {}
            format => {
                let detail = format!("the tables have format {format}; this program reads format {FORMAT}");
                return Err(Problem::new(ErrorClass::Corrupt, detail).hint(
                    "use the program that wrote them, or remove the folder `tables` to rebuild it from the log",
                ));
            }
        }
        serde_json::from_slice(&text).map(Some).map_err(|error| damaged(error.to_string()))
    }

    /// Writes what will be the content of the file beside it. Nothing has happened when it errors.
    pub fn prepare(&self, root: &Path) -> Result<(), Problem> {
        let path = root.join(TEMPORARY);
        let text = serde_json::to_vec_pretty(self).map_err(|error| fault::internal("commit file", error))?;
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(|error| fault::file("cannot write", &path, &error))
    }

    /// Puts what was prepared in place, durably. When it errors, nobody knows which of the two files a
    /// restart will find: the caller must keep the tables of both, and stop.
    pub fn replace(root: &Path) -> Result<(), Problem> {
        let path = root.join(NAME);
        fs::rename(root.join(TEMPORARY), &path).map_err(|error| fault::file("cannot replace", &path, &error))?;
        sync_folder(root)
    }

    /// Describes what is in the files of an epoch; the successor of `self`.
    pub fn next(&self, epoch: &Epoch, next_generation: u64) -> Self {
        let mut next = Self { epoch: self.epoch + 1, next_generation, position: epoch.checkpoint, ..Self::default() };
        for (workspace, state) in epoch.iter() {
            let history = state.spec.history_name().unwrap_or_default();
            let current = state.current.as_deref().map(|table| (state.spec.name.to_owned(), table));
            let parts = current.into_iter().chain(state.history.as_deref().map(|table| (history, table)));
            for (name, table) in parts {
                let tables = &mut next.workspaces.entry(workspace.as_str().to_owned()).or_default().tables;
                tables.insert(name, TableCommit { path: table.path().to_owned(), version: table.version() });
            }
        }
        next
    }

    /// Returns the committed version of each folder.
    pub fn versions(&self) -> BTreeMap<&str, u64> {
        let tables = self.workspaces.values().flat_map(|workspace| workspace.tables.values());
        tables.map(|table| (table.path.as_str(), table.version)).collect()
    }
}

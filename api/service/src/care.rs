//! The care of the whole server: verify, back up, restore, rebuild.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use partitura_event::{ErrorClass, Position, Problem, SystemClock};
use partitura_log::{EventLog, LogSettings, SegmentLog, Verified};
use partitura_projection::Rebuilt;
use serde::Serialize;
use serde_json::{Value, json};

use crate::durable_file;
use crate::folder::{self, unwritable};
use crate::key_calls::operators_only;
use crate::principal::Principal;
use crate::service::Service;
use crate::subscriptions::registry::entries;

/// What a check of the log went through.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Events read.
    pub events: u64,
    /// Commits read.
    pub frames: u64,
    /// Files read.
    pub segments: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The last position.
    pub position: Option<Position>,
    /// The last link of the hash chain: equal chains mean equal logs.
    pub chain: String,
}

impl From<Verified> for Checked {
    fn from(verified: Verified) -> Self {
        let Verified { events, frames, segments, bytes, head, chain } = verified;
        Self { events, frames, segments, bytes, position: head, chain: hex::encode(chain) }
    }
}

impl Service {
    /// Reads the whole log and checks it.
    pub async fn verify(&self, principal: &Principal) -> Result<Checked, Problem> {
        operator(principal, "reading the log of all workspaces")?;
        let log = Arc::clone(self.log());
        blocking(move || log.verify().map(Checked::from).map_err(Problem::from)).await
    }

    /// Copies log, keys, subscriptions and webhooks into a new folder while the server runs, then verifies the copy.
    pub async fn backup(&self, principal: &Principal, to: PathBuf) -> Result<Checked, Problem> {
        operator(principal, "a backup of all workspaces")?;
        if !to.is_absolute() {
            let detail = format!("`to` = {} is not an absolute path", to.display());
            return Err(Problem::invalid_field("to", "relative_path", detail));
        }
        let (from, needed) = (self.folder().root().to_path_buf(), self.head());
        blocking(move || copy(&from, &to, needed)).await
    }

    /// Builds tables anew from the log, beside the live ones, then swaps; all when none is named. With `vectors`,
    /// lets those be computed again, and builds only the tables that are named.
    pub async fn rebuild(&self, principal: &Principal, tables: Vec<String>, vectors: bool) -> Result<Value, Problem> {
        operator(principal, "a rebuild of all workspaces")?;
        let known = self.store().specs();
        for name in &tables {
            if !known.iter().any(|spec| spec.name == name) {
                return Err(Problem::new(ErrorClass::NotFound, format!("there is no stored table `{name:.60}`"))
                    .code("unknown_table")
                    .suggest(name, known.iter().map(|spec| spec.name))
                    .hint("views are computed when they are read and need no rebuild"));
            }
        }
        let started = Instant::now();
        let pending = if vectors { Some(self.engines().ranking().start_over().await?) } else { None };
        let rebuilt = match pending {
            Some(_) if tables.is_empty() => {
                Rebuilt { position: self.store().snapshot().position(), ..Rebuilt::default() }
            }
            _ => self.engines().rebuild(tables).await?,
        };
        let took = started.elapsed().as_millis() as u64;
        let (events, parked) = (rebuilt.events, rebuilt.parked.len());
        Ok(json!({
            "tables": rebuilt.tables, "events": events, "parked": parked, "position": rebuilt.position, "took_ms": took,
            "vectors_pending": pending,
        }))
    }
}

/// Makes a data folder of a backup. The folder must not hold anything yet.
pub fn restore(from: &Path, to: &Path) -> Result<Checked, Problem> {
    if !from.join("FORMAT").exists() || !from.join("log").is_dir() {
        let detail = format!("{} is not a backup: it has no FORMAT and log", from.display());
        return Err(Problem::new(ErrorClass::NotFound, detail).hint("name the folder that `partitura backup` made"));
    }
    folder::has_format(from)?;
    copy(from, to, None)
}

/// Copies log, keys, consumers and format into a new folder and verifies what arrived.
fn copy(from: &Path, to: &Path, needed: Option<Position>) -> Result<Checked, Problem> {
    make_empty(to)?;
    // Before the log: no consumer may have come further than the copy of it.
    copy_consumers(from, to)?;
    copy_log(&from.join("log"), &to.join("log"))?;
    if from.join("keys.json").exists() {
        copy_file(&from.join("keys.json"), &to.join("keys.json"))?;
    }
    let checked = check_copy(&to.join("log"))?;
    if checked.position < needed {
        let detail = format!("the copy ends at {:?}, before {needed:?}", checked.position);
        return Err(Problem::new(ErrorClass::Internal, detail).hint("remove the folder and make the backup again"));
    }
    // Last, so that a folder that looks whole is whole.
    copy_file(&from.join("FORMAT"), &to.join("FORMAT"))?;
    sync(to)?;
    Ok(checked)
}

/// How far subscriptions and webhooks are. The list of webhooks comes first, and only then how far each is: a webhook
/// has its position before it is in the list.
fn copy_consumers(from: &Path, to: &Path) -> Result<(), Problem> {
    if from.join("webhooks.json").exists() {
        copy_file(&from.join("webhooks.json"), &to.join("webhooks.json"))?;
    }
    for kind in ["subscriptions", "webhooks"] {
        for folder in entries(&from.join(kind))? {
            let Some(workspace) = folder.file_name() else { continue };
            let into = to.join(kind).join(workspace);
            durable_file::make_folder(&into).map_err(|error| unwritable(&into, &error))?;
            for name in files(&folder)? {
                if Path::new(&name).extension().is_some_and(|ending| ending == "json") {
                    copy_file(&folder.join(&name), &into.join(&name))?;
                }
            }
            sync(&into)?;
        }
    }
    Ok(())
}

/// Everything of the log but its index, which is built from the segments. The head comes first, and only then the
/// segments are listed: they only grow, so the copy holds all that the head speaks of, and what a commit under way
/// left behind it is cut like any torn tail.
fn copy_log(from: &Path, to: &Path) -> Result<(), Problem> {
    make_empty(to)?;
    for segments in [false, true] {
        for name in files(from)? {
            if name.to_string_lossy().ends_with(".seg") == segments {
                copy_file(&from.join(&name), &to.join(&name))?;
            }
        }
    }
    sync(to)
}

fn files(folder: &Path) -> Result<Vec<OsString>, Problem> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        if entry.path().is_file() {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

fn check_copy(log: &Path) -> Result<Checked, Problem> {
    let log = SegmentLog::open(log, LogSettings::default(), Arc::new(SystemClock)).map_err(Problem::from)?;
    Ok(log.verify().map_err(Problem::from)?.into())
}

fn make_empty(path: &Path) -> Result<(), Problem> {
    let taken = path.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Problem::new(ErrorClass::Conflict, format!("{} is not empty", path.display()))
            .code("folder_not_empty")
            .hint("name a new folder"));
    }
    fs::create_dir_all(path).map_err(|error| unwritable(path, &error))
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Problem> {
    fs::copy(from, to).map_err(|error| unwritable(to, &error))?;
    sync(to)
}

fn sync(path: &Path) -> Result<(), Problem> {
    fs::File::open(path).and_then(|file| file.sync_all()).map_err(|error| unwritable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(ErrorClass::Unavailable, format!("{} cannot be read: {error}", path.display()))
}

fn operator(principal: &Principal, what: &str) -> Result<(), Problem> {
    if principal.is_operator() { Ok(()) } else { Err(operators_only(what)) }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("the work stopped: {error}")))?
}

//! Opening the tables' folder after whatever happened to it: back to the commit file, exactly.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use partitura_event::{ErrorClass, Problem, Workspace};

use crate::commit::Commit;
use crate::durable::{Synced, list_files, sync_folder};
use crate::epoch::{Epoch, TableState};
use crate::fault;
use crate::files::Files;
use crate::lance_table::LanceTable;
use crate::schema::TableSpec;

/// What was found.
pub(crate) struct Opened {
    pub commit: Commit,
    pub epoch: Epoch,
    pub synced: Synced,
}

/// Opens every table at its committed version.
///
/// Newer versions are put aside: they may be torn, and a commit on top of them would bring them back.
/// Folders that the commit file does not name are removed; they never became visible.
pub(crate) async fn open(files: &Files, specs: &'static [&'static TableSpec]) -> Result<Opened, Problem> {
    let root = files.root();
    fs::create_dir_all(root).map_err(|error| fault::file("cannot create", root, &error))?;
    let commit = Commit::read(root)?.unwrap_or_default();
    let versions = commit.versions();
    remove_unlisted(root, |path| versions.contains_key(path))?;
    let mut synced = Synced::new();
    for (path, version) in &versions {
        let folder = files.full(path);
        if !folder.is_dir() {
            return Err(Problem::new(ErrorClass::Corrupt, format!("the folder of table {path} is missing"))
                .hint("stop the server, remove the folder `tables` and start it again: it is rebuilt from the log"));
        }
        put_aside_newer(&folder, *version)?;
        synced.extend(list_files(&folder)?);
    }
    let epoch = load(files, specs, &commit).await?;
    Ok(Opened { commit, epoch, synced })
}

async fn load(files: &Files, specs: &'static [&'static TableSpec], commit: &Commit) -> Result<Epoch, Problem> {
    let mut epoch = Epoch { checkpoint: commit.position, ..Epoch::default() };
    for (workspace, tables) in &commit.workspaces {
        let workspace = Workspace::new(workspace.clone())?;
        for (name, table) in &tables.tables {
            let is_history = |spec: &&TableSpec| spec.history_name().as_deref() == Some(name);
            let spec = specs.iter().find(|spec| spec.name == name || is_history(spec)).copied();
            let spec = spec.ok_or_else(|| unknown(name, specs))?;
            let opened = Arc::new(LanceTable::open(files, &table.path, table.version).await?);
            let state = epoch.table(&workspace, spec.name);
            let mut state = state.map_or_else(|| TableState::empty(spec), |state| TableState::clone(state));
            check_schema(spec, name, &opened)?;
            if spec.name == name {
                state.current = Some(opened)
            } else {
                state.history = Some(opened)
            }
            epoch.put(&workspace, state);
        }
    }
    Ok(epoch)
}

fn unknown(name: &str, specs: &[&TableSpec]) -> Problem {
    Problem::new(ErrorClass::Corrupt, format!("the commit file names table {name}, which this program does not know"))
        .suggest(name, specs.iter().map(|spec| spec.name))
        .hint("use the program that wrote it, or remove the folder `tables` to rebuild it from the log")
}

fn check_schema(spec: &TableSpec, name: &str, table: &LanceTable) -> Result<(), Problem> {
    let wanted = if spec.name == name { spec.stored_schema() } else { spec.stored_history_schema() };
    let found: arrow::datatypes::Schema = table.dataset().schema().into();
    let differs = |field: &&Arc<arrow::datatypes::Field>| {
        found.field_with_name(field.name()).map(|found| found.data_type() != field.data_type()).unwrap_or(true)
    };
    let Some(field) = wanted.fields().iter().find(differs) else { return Ok(()) };
    let detail = format!("the files of table {name} lack column {} as this program knows it", field.name());
    Err(Problem::new(ErrorClass::Corrupt, detail)
        .code("schema_changed")
        .hint("remove the folder `tables` to rebuild it from the log"))
}

/// Removes the folders of tables that are not to be kept.
pub(crate) fn remove_unlisted(root: &Path, is_kept: impl Fn(&str) -> bool) -> Result<(), Problem> {
    let list = |folder: &Path| -> Result<Vec<fs::DirEntry>, Problem> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect);
        entries.map_err(|error| fault::file("cannot list", folder, &error))
    };
    for workspace in list(root)?.into_iter().filter(|entry| entry.path().is_dir()) {
        for table in list(&workspace.path())? {
            let path = format!("{}/{}", workspace.file_name().display(), table.file_name().display());
            if path.ends_with(".lance") && !is_kept(&path) {
                tracing::info!(path, "removing the folder of a table that is not committed");
                let removed = fs::remove_dir_all(table.path());
                removed.map_err(|error| fault::file("cannot remove", &table.path(), &error))?;
            }
        }
    }
    Ok(())
}

/// Makes `version` the latest that Lance finds.
pub(crate) fn put_aside_newer(folder: &Path, version: u64) -> Result<(), Problem> {
    let versions = folder.join("_versions");
    let entries = fs::read_dir(&versions).map_err(|error| fault::file("cannot list", &versions, &error))?;
    let mut changed = false;
    for entry in entries {
        let path = entry.map_err(|error| fault::file("cannot list", &versions, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let moved = if manifest_version(&name).is_some_and(|found| found > version) {
            tracing::info!(path = %path.display(), "putting aside a table version that is not committed");
            fs::rename(&path, versions.join(format!("{name}.corrupt")))
        } else if name == "latest_version_hint.json" {
            fs::remove_file(&path)
        } else {
            continue;
        };
        moved.map_err(|error| fault::file("cannot put aside", &path, &error))?;
        changed = true;
    }
    if changed { sync_folder(&versions) } else { Ok(()) }
}

/// Returns the version that a manifest's name says: `{u64::MAX - version}.manifest`.
pub(crate) fn manifest_version(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".manifest")?;
    (number.len() == 20).then(|| number.parse::<u64>().ok()).flatten().map(|number| u64::MAX - number)
}

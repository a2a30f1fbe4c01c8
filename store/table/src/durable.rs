//! Making files durable: Lance never calls fsync on a local disk, so this does.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use partitura_event::Problem;

use crate::fault;

/// Files that are known to be on disk. Lance never changes a file, so that once is enough.
pub(crate) type Synced = HashSet<PathBuf>;

/// Syncs every file below `folder` that is not in `synced`, and the folders that hold such files.
/// Returns the files.
///
/// When it errors, none of them counts as synced: after a failed fsync the bytes may be lost although
/// the next fsync succeeds, so the caller has to write other files.
pub(crate) fn sync_tree(folder: &Path, synced: &Synced) -> Result<Vec<PathBuf>, Problem> {
    let mut fresh = Vec::new();
    sync_below(folder, synced, &mut fresh)?;
    Ok(fresh)
}

fn sync_below(folder: &Path, synced: &Synced, fresh: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let before = fresh.len();
    let entries = fs::read_dir(folder).map_err(|error| fault::file("cannot list", folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| fault::file("cannot list", folder, &error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| fault::file("cannot look at", &path, &error))?;
        if kind.is_dir() {
            let known = fresh.len();
            sync_below(&path, synced, fresh)?;
            if fresh.len() > known {
                // A new folder must be in its parent; an old one costs nothing.
                sync_folder(folder)?;
            }
        } else if !synced.contains(&path) {
            let sync = File::open(&path).and_then(|file| file.sync_all());
            sync.map_err(|error| fault::file("cannot sync", &path, &error))?;
            fresh.push(path);
        }
    }
    if fresh.len() > before { sync_folder(folder) } else { Ok(()) }
}

/// Syncs the entries of a folder.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Problem> {
    let sync = File::open(folder).and_then(|folder| folder.sync_all());
    sync.map_err(|error| fault::file("cannot sync", folder, &error))
}

/// Returns all files below a folder.
pub(crate) fn list_files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| fault::file("cannot list", &folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| fault::file("cannot list", &folder, &error))?;
            let kind = entry.file_type().map_err(|error| fault::file("cannot look at", &entry.path(), &error))?;
            if kind.is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    Ok(files)
}

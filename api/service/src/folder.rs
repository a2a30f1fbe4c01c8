//! The data folder: its layout, its format version and the lock that names the running server.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Serialize};

use crate::durable_file;

/// Version of the data folder that this program reads and writes.
pub const FORMAT: u32 = 1;

/// What `LOCK` says of the running server. The operator's secret lets the folder's owner in, who could read the
/// files anyway; it changes with each start and the file is readable by the owner only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Where it answers; none while it starts.
    pub http: Option<SocketAddr>,
    /// Bearer secret of the folder's owner.
    pub operator: Option<String>,
}

/// An open, locked data folder. Dropping it releases the lock.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    lock: File,
}

impl Folder {
    /// Creates or opens the folder, checks its version and takes the lock.
    ///
    /// Errors say which process holds it, that it is of a newer version, or why it cannot be written.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
        let root = root.canonicalize().map_err(|error| unwritable(root, &error))?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(root.join("LOCK"))
            .map_err(|error| unwritable(&root, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&root, read_holder(&mut lock))),
            Err(TryLockError::Error(error)) => return Err(unwritable(&root, &error)),
        }
        if !has_format(&root)? {
            let text = format!("{FORMAT}\n");
            durable_file::replace(&root.join("FORMAT"), text.as_bytes()).map_err(|error| unwritable(&root, &error))?;
        }
        let folder = Self { root, lock };
        folder.write_holder(&Holder { pid: std::process::id(), http: None, operator: None })?;
        Ok(folder)
    }

    /// Writes down where the server answers.
    pub fn announce(&self, http: SocketAddr, operator: String) -> Result<(), Problem> {
        self.write_holder(&Holder { pid: std::process::id(), http: Some(http), operator: Some(operator) })
    }

    /// Returns the running server's note, or `None` when nobody holds the folder.
    pub fn holder(root: &Path) -> Option<Holder> {
        let mut lock = OpenOptions::new().read(true).open(root.join("LOCK")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_holder(&mut lock),
            _ => None,
        }
    }

    /// Returns the folder's absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of the log's segments.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Returns the folder of the tables.
    pub fn tables(&self) -> PathBuf {
        self.root.join("tables")
    }

    /// Returns the file of the keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys.json")
    }

    /// Returns the folder of the durable subscriptions.
    pub fn subscriptions(&self) -> PathBuf {
        self.root.join("subscriptions")
    }

    /// Returns the file of the webhooks and their secrets.
    pub fn webhooks_file(&self) -> PathBuf {
        self.root.join("webhooks.json")
    }

    /// Returns the folder of what webhooks have sent.
    pub fn webhooks(&self) -> PathBuf {
        self.root.join("webhooks")
    }

    /// Returns the file of the secret that signs tickets.
    pub fn tickets(&self) -> PathBuf {
        self.root.join("tickets.secret")
    }

    fn write_holder(&self, holder: &Holder) -> Result<(), Problem> {
        let text = serde_json::to_vec(holder).map_err(|error| Problem::new(ErrorClass::Internal, error.to_string()))?;
        let mut file = &self.lock;
        file.rewind()
            .and_then(|()| file.write_all(&text))
            .and_then(|()| file.set_len(text.len() as u64))
            .map_err(|error| unwritable(&self.root, &error))
    }
}

/// Returns whether the folder says its format; a new one does not. Errors when it is not one that can be read.
pub fn has_format(root: &Path) -> Result<bool, Problem> {
    match fs::read_to_string(root.join("FORMAT")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if root.join("log").exists() {
                return Err(damaged(root, "it has a log but no FORMAT file"));
            }
            Ok(false)
        }
        Err(error) => Err(unwritable(root, &error)),
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(FORMAT) => Ok(true),
            Ok(newer) if newer > FORMAT => Err(Problem::new(
                ErrorClass::Unavailable,
                format!("{} is of format {newer}; this program reads up to format {FORMAT}", root.display()),
            )
            .code("format_newer")
            .hint("start it with the newer partitura that wrote it, or restore a backup into another folder")),
            _ => Err(damaged(root, &format!("its FORMAT file says {:?}", text.trim()))),
        },
    }
}

fn read_holder(lock: &mut File) -> Option<Holder> {
    let mut text = String::new();
    lock.rewind().and_then(|()| lock.read_to_string(&mut text)).ok()?;
    serde_json::from_str(&text).ok()
}

fn held(root: &Path, holder: Option<Holder>) -> Problem {
    let who = match holder {
        Some(Holder { pid, http: Some(http), .. }) => format!("process {pid}, which answers at http://{http}"),
        Some(Holder { pid, .. }) => format!("process {pid}, which is starting"),
        None => "another process".to_owned(),
    };
    Problem::new(ErrorClass::Conflict, format!("{} is in use by {who}", root.display()))
        .code("folder_in_use")
        .hint("talk to that server with --url or --data, stop it, or choose another --data folder")
}

fn damaged(root: &Path, what: &str) -> Problem {
    Problem::new(ErrorClass::Corrupt, format!("{} is not a whole data folder: {what}", root.display()))
        .hint("choose another --data folder, or restore a backup")
}

/// Returns the problem of a folder that cannot be written, with the remedy.
pub fn unwritable(path: &Path, error: &io::Error) -> Problem {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let class = if full { ErrorClass::StorageFull } else { ErrorClass::Unavailable };
    let hint = if full {
        "free some space on that disk and try again; nothing was half-written"
    } else {
        "check that the folder exists and belongs to you, or choose another one with --data"
    };
    Problem::new(class, format!("{} cannot be written: {error}", path.display())).code("folder_unwritable").hint(hint)
}

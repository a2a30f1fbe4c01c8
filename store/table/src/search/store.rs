//! [`SearchStore`]: the indexes of all workspaces, opened when they are first needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use partitura_event::{ErrorClass, Position, Problem, Workspace};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::text::TextIndex;
use crate::vector::{VectorIndex, VectorSettings};

/// Pause between two looks at whether a workspace can be searched.
const START: Duration = Duration::from_millis(20);
/// Folder of all models' vectors in that of a workspace.
const VECTORS: &str = "vectors";

/// What a user may tweak about search indexes.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchSettings {
    /// Pause between two looks at the tables.
    pub interval: Duration,
    /// Positions taken at once when there is much to catch up with.
    pub positions: u64,
    /// Turns before a turn of a conversation that are indexed with it.
    pub turns: usize,
    /// Vectors.
    pub vectors: VectorSettings,
}

impl Default for SearchSettings {
    fn default() -> Self {
        let interval = Duration::from_millis(250);
        Self { interval, positions: 20_000, turns: 2, vectors: VectorSettings::default() }
    }
}

/// The indexes of one workspace.
pub struct SearchSpace {
    /// Words.
    pub text: TextIndex,
    folder: PathBuf,
    vectors: tokio::sync::Mutex<BTreeMap<String, Arc<VectorIndex>>>,
    settings: VectorSettings,
}

impl SearchSpace {
    /// Returns the ids in the folder names of all models that this workspace has vectors of.
    pub fn models(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.join(VECTORS)) else { return Vec::new() };
        let mut models: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        models.sort();
        models
    }

    /// Removes the vectors of a model; without effect when it has none.
    pub async fn forget(&self, hash: &str) -> Result<(), Problem> {
        let mut open = self.vectors.lock().await;
        open.remove(hash);
        let folder = self.folder.join(VECTORS).join(hash);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(crate::fault::file("cannot remove", &folder, &error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the vectors of a model, named by its id and the hash in it; opened at the first call.
    pub async fn vectors(&self, model: &str, hash: &str, dims: usize) -> Result<Arc<VectorIndex>, Problem> {
        let mut open = self.vectors.lock().await;
        if let Some(vectors) = open.get(hash) {
            return Ok(vectors.clone());
        }
        let folder = self.folder.join(VECTORS).join(hash);
        let vectors = Arc::new(VectorIndex::open(&folder, model, dims, self.settings.clone()).await?);
        open.insert(hash.to_owned(), vectors.clone());
        Ok(vectors)
    }
}

/// The indexes of all workspaces.
pub struct SearchStore {
    folder: PathBuf,
    generation: String,
    settings: SearchSettings,
    spaces: RwLock<BTreeMap<Workspace, Arc<SearchSpace>>>,
    /// Spaces that were opened before the tables had caught up with them.
    waiting: Mutex<BTreeMap<Workspace, Arc<SearchSpace>>>,
    position: watch::Sender<Option<Position>>,
}

impl SearchStore {
    /// Names the folder of all indexes. `generation` stands for what makes the rows of `documents`: when it
    /// changes, text indexes are built again.
    pub fn new(folder: &Path, generation: impl Into<String>, settings: SearchSettings) -> Arc<Self> {
        let (position, _) = watch::channel(None);
        let (folder, generation) = (folder.to_owned(), generation.into());
        let (spaces, waiting) = (RwLock::default(), Mutex::default());
        Arc::new(Self { folder, generation, settings, spaces, waiting, position })
    }

    /// Returns the settings.
    pub fn settings(&self) -> &SearchSettings {
        &self.settings
    }

    /// Returns the indexes of a workspace that has documents; `None` before the follower has seen one.
    pub fn space(&self, workspace: &Workspace) -> Option<Arc<SearchSpace>> {
        self.spaces.read().get(workspace).cloned()
    }

    /// Returns the workspaces that have indexes, sorted.
    pub fn workspaces(&self) -> Vec<Workspace> {
        self.spaces.read().keys().cloned().collect()
    }

    /// Returns the position up to which every document is found by its text.
    pub fn position(&self) -> Option<Position> {
        *self.position.borrow()
    }

    /// Follows [`position`](Self::position).
    pub fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.position.subscribe()
    }

    /// Waits until everything up to `position` is found by its text.
    pub async fn wait_for(&self, position: Position, wait: Duration) -> Result<(), Problem> {
        let mut watch = self.watch();
        let reached = timeout(wait, watch.wait_for(|now| *now >= Some(position))).await;
        if matches!(reached, Ok(Ok(_))) {
            return Ok(());
        }
        let at = self.position().map_or(0, Position::get);
        let detail = format!("search is at position {at} and has not reached {position} in {} ms", wait.as_millis());
        Err(not_yet(detail))
    }

    /// Waits until the indexes of a workspace that are on disk can be searched.
    pub async fn wait_for_start(&self, workspace: &Workspace, wait: Duration) -> Result<(), Problem> {
        let started = async {
            while self.is_starting(workspace) {
                sleep(START).await;
            }
        };
        let detail = || format!("search has not started in {} ms: tables are being replayed", wait.as_millis());
        timeout(wait, started).await.map_err(|_| not_yet(detail()))
    }

    /// Returns whether a workspace has indexes on disk that cannot be searched yet, because the tables are behind
    /// them: after a start, until the log is replayed.
    fn is_starting(&self, workspace: &Workspace) -> bool {
        self.space(workspace).is_none() && self.folder.join(workspace.as_str()).exists()
    }

    /// Opens the indexes of a workspace, or makes them. Its name is a plain folder name.
    pub(super) fn open_space(&self, workspace: &Workspace) -> Result<Arc<SearchSpace>, Problem> {
        if let Some(space) = self.space(workspace).or_else(|| self.waiting.lock().get(workspace).cloned()) {
            return Ok(space);
        }
        let folder = self.folder.join(workspace.as_str());
        let text = TextIndex::open(&folder.join("text"), &self.generation)?;
        let settings = self.settings.vectors.clone();
        let space = Arc::new(SearchSpace { text, folder, vectors: tokio::sync::Mutex::default(), settings });
        self.waiting.lock().insert(workspace.clone(), space.clone());
        Ok(space)
    }

    /// Lets searches see a workspace's indexes, now that what replaced its versions is known.
    pub(super) fn admit(&self, workspace: &Workspace, space: Arc<SearchSpace>) {
        self.spaces.write().entry(workspace.clone()).or_insert(space);
        self.waiting.lock().remove(workspace);
    }

    pub(super) fn reached(&self, position: Position) {
        self.position.send_if_modified(|now| now.replace(position) != Some(position));
    }
}

fn not_yet(detail: String) -> Problem {
    Problem::new(ErrorClass::Timeout, detail)
        .code("not_yet_visible")
        .hint("ask again, or with a larger wait_ms")
        .retry_after(Duration::from_secs(1))
}

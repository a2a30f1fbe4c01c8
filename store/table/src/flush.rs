//! Flushing: what is in memory becomes Lance versions, then one commit file, then one snapshot.
//!
//! 1. **Freeze.** Under the writer's lock the live tails are set aside and new ones take their place.
//! 2. **Write.** Each table with frozen rows gets a new Lance version; a keyed one first the history.
//! 3. **Sync.** Every new file and its folder, because Lance does not.
//! 4. **Commit.** The commit file names the new versions and the position.
//! 5. **Publish.** Snapshots from now on read the new versions, without the frozen tails.
//!
//! When a step fails, everything that was written since the last commit is removed, and the next
//! attempt starts with other files (a failed fsync must not be tried again on the same file). The
//! frozen rows stay visible meanwhile.

mod kept;
mod rows;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use partitura_event::{ErrorClass, Position, Problem, Workspace};

use crate::commit::Commit;
use crate::durable::{Synced, sync_folder, sync_tree};
use crate::epoch::{Epoch, TableState};
use crate::fault;
use crate::fault_point::FaultPoint;
use crate::lance_table::LanceTable;
use crate::open::{put_aside_newer, remove_unlisted};
use crate::pins::Pins;
use crate::store::TableStore;

/// What the one flush or maintenance at a time works on.
pub(crate) struct Flusher {
    /// What the commit file says.
    pub commit: Commit,
    pub synced: Arc<Synced>,
    pub pins: Pins,
    pub next_generation: u64,
    frozen: Option<Frozen>,
    /// Set when the store was closed, or the commit file could not be replaced for certain: only a restart helps.
    stopped: Option<Problem>,
}

/// Rows that are to be flushed.
#[derive(Clone)]
struct Frozen {
    position: Option<Position>,
    /// Rows up to here were in Lance when the tails were frozen.
    checkpoint: u64,
    tables: Vec<(Workspace, Arc<TableState>)>,
}

impl Flusher {
    pub fn new(commit: Commit, synced: Synced) -> Self {
        let next_generation = commit.next_generation;
        Self { commit, synced: Arc::new(synced), pins: Pins::default(), next_generation, frozen: None, stopped: None }
    }

    /// Returns whether a flush has failed and is to be tried again.
    pub fn is_pending(&self) -> bool {
        self.frozen.is_some() || self.stopped.is_some()
    }

    /// Ends all writing.
    pub fn close(&mut self) {
        let closed = Problem::new(ErrorClass::Unavailable, "the tables were closed");
        self.stopped.get_or_insert(closed);
    }

    fn check_stopped(&self) -> Result<(), Problem> {
        let Some(problem) = &self.stopped else { return Ok(()) };
        let detail = format!("the tables are no longer written: {problem}");
        Err(Problem::new(ErrorClass::Unavailable, detail).hint("restart the server; no event is lost"))
    }

    /// Returns a number that no folder of a table has borne.
    pub fn generation(&mut self) -> u64 {
        self.next_generation += 1;
        self.next_generation - 1
    }
}

impl TableStore {
    /// Makes everything durable that was applied before the call.
    ///
    /// After an error nothing is lost or half-written: call it again.
    pub async fn flush(&self) -> Result<(), Problem> {
        self.uncancelled(|store| async move { store.flush_all().await }).await
    }

    async fn flush_all(&self) -> Result<(), Problem> {
        let mut flusher = self.flusher.lock().await;
        let target = self.snapshot().position();
        while self.snapshot().checkpoint() < target {
            if flusher.frozen.is_none() {
                flusher.frozen = Some(self.freeze().await);
            }
            let result = self.flush_frozen(&mut flusher).await;
            self.report(&result);
            result?;
        }
        Ok(())
    }

    fn report(&self, result: &Result<(), Problem>) {
        let mut status = self.status.lock();
        match result {
            Ok(()) => {
                status.flushes += 1;
                status.flush_error = None;
            }
            Err(problem) => status.flush_error = Some(problem.to_string()),
        }
        drop(status);
        self.flush_ends.send_modify(|ends| *ends += 1);
    }

    async fn freeze(&self) -> Frozen {
        let mut writer = self.writer.lock().await;
        let snapshot = self.snapshot();
        let mut epoch = Epoch::clone(snapshot.epoch());
        let mut tables = Vec::new();
        for (workspace, state) in snapshot.epoch().iter().filter(|(_, state)| !state.live().is_empty()) {
            let mut next = TableState::clone(state);
            next.tails.push(Arc::default());
            tables.push((workspace.clone(), state.clone()));
            epoch.put(workspace, next);
        }
        (writer.live_rows, writer.live_bytes, writer.dirty_since) = (0, 0, None);
        self.publish(snapshot.position(), Arc::new(epoch));
        let checkpoint = snapshot.checkpoint().map_or(0, Position::get);
        Frozen { position: snapshot.position(), checkpoint, tables }
    }

    async fn flush_frozen(&self, flusher: &mut Flusher) -> Result<(), Problem> {
        flusher.check_stopped()?;
        self.check_alone(flusher).await?;
        let Some(frozen) = flusher.frozen.clone() else { return Ok(()) };
        let result = self.write_and_commit(flusher, &frozen).await;
        match &result {
            Ok(()) => flusher.frozen = None,
            Err(_) => self.roll_back(flusher).await,
        }
        result
    }

    async fn write_and_commit(&self, flusher: &mut Flusher, frozen: &Frozen) -> Result<(), Problem> {
        self.faults.visit(FaultPoint::BeforeWrite)?;
        let written = self.write_all(flusher, frozen).await?;
        let mut epoch = Epoch::clone(self.snapshot().epoch());
        epoch.checkpoint = frozen.position;
        for (workspace, state) in &written {
            epoch.put(workspace, state.clone());
        }
        let touched: Vec<_> = written.iter().flat_map(|(_, state)| lance_tables(state)).collect();
        self.commit(flusher, &epoch, &touched).await?;
        for table in touched {
            flusher.pins.watch(&table);
        }
        self.publish_flushed(frozen, &written).await;
        Ok(())
    }

    /// Fails, and ends all writing, if somebody else has committed to this folder since this store did.
    ///
    /// The server's lock keeps others out; this is for a folder whose lock was removed or does not work.
    pub(crate) async fn check_alone(&self, flusher: &mut Flusher) -> Result<(), Problem> {
        let root = self.files.root().to_owned();
        let found = blocking(move || Commit::read(&root)).await??.unwrap_or_default();
        if found == flusher.commit {
            return Ok(());
        }
        let detail = format!("somebody else writes to {}", self.files.root().display());
        let problem =
            Problem::new(ErrorClass::Internal, detail).code("not_alone").hint("run one server on one data folder");
        flusher.stopped = Some(problem.clone());
        Err(problem)
    }

    /// Syncs the files of `touched` and makes the files of `epoch` the committed ones.
    pub(crate) async fn commit(
        &self,
        flusher: &mut Flusher,
        epoch: &Epoch,
        touched: &[Arc<LanceTable>],
    ) -> Result<(), Problem> {
        self.faults.visit(FaultPoint::BeforeSync)?;
        let root = self.files.root().to_owned();
        let folders: Vec<PathBuf> = touched.iter().map(|table| self.files.full(table.path())).collect();
        let known = flusher.synced.clone();
        let fresh = blocking(move || sync_all(&root, &folders, &known)).await??;
        Arc::make_mut(&mut flusher.synced).extend(fresh);
        self.faults.visit(FaultPoint::BeforeCommit)?;
        self.check_alone(flusher).await?;
        let (commit, root) = (flusher.commit.next(epoch, flusher.next_generation), self.files.root().to_owned());
        let prepared = commit.clone();
        blocking(move || prepared.prepare(&root)).await??;
        let root = self.files.root().to_owned();
        flusher.stopped = Some(fault::internal("it was being replaced", "interrupted"));
        if let Err(problem) = blocking(move || Commit::replace(&root)).await? {
            flusher.stopped = Some(problem.clone());
            return Err(problem);
        }
        flusher.stopped = None;
        flusher.commit = commit;
        Ok(())
    }

    /// Removes what was written since the last commit.
    pub(crate) async fn roll_back(&self, flusher: &Flusher) {
        if flusher.stopped.is_some() {
            return;
        }
        let versions = flusher.commit.versions();
        let undo = || -> Result<(), Problem> {
            remove_unlisted(self.files.root(), |path| versions.contains_key(path) || flusher.pins.holds(path))?;
            for (path, version) in &versions {
                let folder = self.files.full(path);
                put_aside_newer(&folder, *version)?;
                for file in crate::durable::list_files(&folder)? {
                    if !flusher.synced.contains(&file) && file.extension().is_none_or(|end| end != "corrupt") {
                        let _ = std::fs::remove_file(&file);
                    }
                }
            }
            Ok(())
        };
        if let Err(problem) = undo() {
            tracing::warn!(error = %problem, "files of a failed flush are left behind");
        }
        self.files.forget().await;
    }

    async fn publish_flushed(&self, frozen: &Frozen, written: &[(Workspace, TableState)]) {
        let mut writer = self.writer.lock().await;
        let snapshot = self.snapshot();
        let mut epoch = Epoch::clone(snapshot.epoch());
        epoch.checkpoint = frozen.position;
        for (workspace, state) in written {
            // The writer has only added tails since the freeze: what is live now follows the frozen one.
            let tails = epoch.table(workspace, state.spec.name).map_or_else(Vec::new, |now| now.tails[1..].to_vec());
            epoch.put(workspace, TableState { tails, ..state.clone() });
        }
        for (workspace, state) in &frozen.tables {
            kept::keep_latest(&mut writer.states, workspace, state);
        }
        self.publish(snapshot.position(), Arc::new(epoch));
    }
}

/// Runs what waits for the disk beside the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| fault::internal("the flush was interrupted", error))
}

fn sync_all(root: &Path, folders: &[PathBuf], synced: &Synced) -> Result<Vec<PathBuf>, Problem> {
    let mut fresh = Vec::new();
    for folder in folders {
        fresh.extend(sync_tree(folder, synced)?);
        folder.parent().map_or(Ok(()), sync_folder)?;
    }
    sync_folder(root)?;
    Ok(fresh)
}

/// Returns the Lance tables of a table.
pub(crate) fn lance_tables(state: &TableState) -> Vec<Arc<LanceTable>> {
    state.current.iter().chain(&state.history).cloned().collect()
}

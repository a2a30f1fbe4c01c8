//! Maintenance: few and large fragments, no version that nobody reads. One table at a time, between flushes.

use std::sync::Arc;

use lance::Dataset;
use lance::dataset::cleanup::CleanupPolicy;
use lance::dataset::optimize::{CompactionMode, CompactionOptions, compact_files};
use partitura_event::{Problem, Workspace};

use crate::durable::list_files;
use crate::epoch::{Epoch, TableState};
use crate::fault;
use crate::fault_point::FaultPoint;
use crate::flush::{Flusher, lance_tables};
use crate::lance_table::LanceTable;
use crate::settings::TableSettings;
use crate::store::TableStore;

impl TableStore {
    /// Compacts what has become many small fragments and removes versions that nobody reads.
    ///
    /// Runs by itself after a flush unless the settings say otherwise. Does nothing while a failed flush
    /// waits to be tried again.
    pub async fn maintain(&self) -> Result<(), Problem> {
        self.uncancelled(|store| async move { store.maintain_now().await }).await
    }

    async fn maintain_now(&self) -> Result<(), Problem> {
        let mut flusher = self.flusher.lock().await;
        if flusher.is_pending() {
            return Ok(());
        }
        self.check_alone(&mut flusher).await?;
        let result = self.maintain_all(&mut flusher).await;
        if result.is_err() {
            self.roll_back(&flusher).await;
        }
        self.status.lock().maintenance_error = result.as_ref().err().map(ToString::to_string);
        result
    }

    async fn maintain_all(&self, flusher: &mut Flusher) -> Result<(), Problem> {
        for path in flusher.pins.unread(&flusher.commit.versions()) {
            let folder = self.files.full(&path);
            let removed = std::fs::remove_dir_all(&folder);
            removed.map_err(|error| fault::file("cannot remove", &folder, &error))?;
            Arc::make_mut(&mut flusher.synced).retain(|file| !file.starts_with(&folder));
        }
        let names: Vec<(Workspace, &'static str)> =
            self.snapshot().epoch().iter().map(|(workspace, state)| (workspace.clone(), state.spec.name)).collect();
        for (workspace, name) in names {
            let snapshot = self.snapshot();
            let Some(state) = snapshot.epoch().table(&workspace, name) else { continue };
            let mut next = TableState { tails: Vec::new(), ..TableState::clone(state) };
            let current = self.improve(state.current.as_deref()).await?;
            let history = self.improve(state.history.as_deref()).await?;
            if current.is_some() || history.is_some() {
                self.faults.visit(FaultPoint::AfterCompaction)?;
                next.current = current.or(next.current);
                next.history = history.or(next.history);
                self.swap(flusher, &workspace, next).await?;
            }
            drop(snapshot);
            let snapshot = self.snapshot();
            let Some(state) = snapshot.epoch().table(&workspace, name) else { continue };
            for table in lance_tables(state) {
                self.clean_up(flusher, &table).await?;
            }
        }
        Ok(())
    }

    /// Commits and publishes other files with the same rows.
    async fn swap(&self, flusher: &mut Flusher, workspace: &Workspace, next: TableState) -> Result<(), Problem> {
        let mut epoch = Epoch::clone(self.snapshot().epoch());
        epoch.put(workspace, next.clone());
        let touched = lance_tables(&next);
        self.commit(flusher, &epoch, &touched).await?;
        for table in &touched {
            flusher.pins.watch(table);
        }
        let _writer = self.writer.lock().await;
        let snapshot = self.snapshot();
        let mut epoch = Epoch::clone(snapshot.epoch());
        let tails = epoch.table(workspace, next.spec.name).map_or_else(Vec::new, |now| now.tails.clone());
        epoch.put(workspace, TableState { tails, ..next });
        self.publish(snapshot.position(), Arc::new(epoch));
        self.status.lock().maintenances += 1;
        Ok(())
    }

    /// Compacts a table; returns it if that changed something.
    async fn improve(&self, table: Option<&LanceTable>) -> Result<Option<Arc<LanceTable>>, Problem> {
        let Some(table) = table else { return Ok(None) };
        let mut dataset = Dataset::clone(table.dataset());
        if let Some(excluded) = plan(&dataset, &self.settings) {
            let options = CompactionOptions {
                target_rows_per_fragment: self.settings.fragment_rows,
                materialize_deletions_threshold: DELETED_SHARE,
                num_threads: Some(1),
                // Deferred remapping has given wrong results in this version of Lance.
                defer_index_remap: false,
                // Pages that are large enough are copied as they are, where nothing was deleted. Written anew, a
                // page of words gets the words of each batch again, and those of such a page again the next time.
                compaction_mode: Some(mode(&dataset, &excluded)),
                batch_size: Some(READ_ROWS),
                excluded_fragment_ids: excluded,
                ..CompactionOptions::default()
            };
            let compacting = compact_files(&mut dataset, options, None).await;
            compacting.map_err(|error| fault::lance(&format!("cannot compact {}", table.path()), &error))?;
        }
        if dataset.version_id() == table.version() {
            return Ok(None);
        }
        tracing::debug!(table = table.path(), fragments = dataset.fragments().len(), "maintained");
        Ok(Some(Arc::new(table.maintained(dataset))))
    }

    async fn clean_up(&self, flusher: &mut Flusher, table: &Arc<LanceTable>) -> Result<(), Problem> {
        let committed = flusher.commit.versions().get(table.path()).copied().unwrap_or(0);
        let oldest = flusher.pins.oldest(table.path()).unwrap_or(committed).min(committed).min(table.version());
        let folder = self.files.full(table.path());
        if old_versions(&folder, self.settings.keep_versions, oldest)? <= self.settings.compact_fragments / 4 {
            return Ok(());
        }
        self.faults.visit(FaultPoint::BeforeCleanup)?;
        let keep = chrono::TimeDelta::from_std(self.settings.keep_versions).unwrap_or(chrono::TimeDelta::MAX);
        let policy = CleanupPolicy {
            before_timestamp: Some(chrono::Utc::now() - keep),
            before_version: Some(oldest),
            // There is no other writer, and no flush runs now: an unknown file is left over from a crash.
            delete_unverified: true,
            error_if_tagged_old_versions: false,
            ..CleanupPolicy::default()
        };
        let cleaning = table.dataset().cleanup_with_policy(policy).await;
        cleaning.map_err(|error| fault::lance(&format!("cannot clean up {}", table.path()), &error))?;
        for file in list_files(&folder.join("_versions"))? {
            if file.extension().is_some_and(|end| end == "corrupt") {
                let _ = std::fs::remove_file(&file);
            }
        }
        Arc::make_mut(&mut flusher.synced).retain(|file| !file.starts_with(&folder) || file.exists());
        self.status.lock().maintenances += 1;
        Ok(())
    }
}

/// Rows of a fragment whose pages are worth keeping.
const COPIED_ROWS: usize = 16 << 10;

/// Rows that are read at once where pages must be written anew: each batch brings its words along.
const READ_ROWS: usize = 64 << 10;

/// Share of deleted rows from which a fragment is written anew.
const DELETED_SHARE: f32 = 0.25;

/// Returns the fragments that a compaction leaves alone, or `None` if there is nothing to do.
///
/// Fragments are merged from the newest backwards while the next older one is at most twice as large
/// as all newer ones together, so that a row is written again only about log(n) times.
fn plan(dataset: &Dataset, settings: &TableSettings) -> Option<Vec<u32>> {
    let fragments = dataset.fragments();
    let deleted = |fragment: &lance::table::format::Fragment| {
        let physical = fragment.physical_rows.unwrap_or(0);
        let rows = fragment.num_rows().unwrap_or(physical);
        (physical - rows) as f32 > physical as f32 * DELETED_SHARE
    };
    let heavy = fragments.iter().filter(|fragment| deleted(fragment)).count();
    let small = fragments.iter().filter(|fragment| fragment.num_rows().unwrap_or(0) < settings.fragment_rows).count();
    if small <= settings.compact_fragments && heavy == 0 {
        return None;
    }
    let mut excluded = Vec::new();
    let (mut newer, mut merging) = (0, small > settings.compact_fragments);
    for (nth, fragment) in fragments.iter().rev().enumerate() {
        let rows = fragment.num_rows().unwrap_or(0);
        merging &= nth < settings.compact_fragments / 2 || rows <= 2 * newer;
        if !merging && !deleted(fragment) {
            excluded.push(fragment.id as u32);
        }
        newer += rows;
    }
    Some(excluded)
}

/// Returns how the fragments that are not excluded are merged: small pages become large ones, large ones stay.
fn mode(dataset: &Dataset, excluded: &[u32]) -> CompactionMode {
    let merged = dataset.fragments().iter().filter(|fragment| !excluded.contains(&(fragment.id as u32)));
    let least = merged.map(|fragment| fragment.num_rows().unwrap_or(0)).min();
    if least.is_some_and(|rows| rows >= COPIED_ROWS) { CompactionMode::TryBinaryCopy } else { CompactionMode::Reencode }
}

/// Returns how many versions a clean-up would remove.
fn old_versions(folder: &std::path::Path, keep: std::time::Duration, oldest: u64) -> Result<usize, Problem> {
    let old = |file: &std::path::Path| {
        let version = file.file_name().and_then(|name| crate::open::manifest_version(&name.to_string_lossy()));
        let age =
            file.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed().unwrap_or_default());
        version.is_some_and(|version| version < oldest) && age.is_ok_and(|age| age >= keep)
    };
    Ok(list_files(&folder.join("_versions"))?.iter().filter(|file| old(file)).count())
}

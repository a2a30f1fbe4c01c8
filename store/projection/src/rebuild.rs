//! Rebuild: tables made again from the log beside the live ones, then put in their place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use partitura_event::{ErrorClass, Position, Problem, Recorded};
use partitura_log::{EventLog, ReadLimit};
use partitura_table::schema::documents::DOCUMENTS;
use partitura_table::schema::parked::PARKED_EVENTS;
use partitura_table::{TableSettings, TableStore};
use tokio::runtime::Handle;

use crate::fold::Projection;
use crate::parked::Parked;
use crate::projector::{Inner, Projector, fold_all};
use crate::settings::ProjectorSettings;
use crate::states::States;

/// What to rebuild, and where.
#[derive(Clone, Debug)]
pub struct RebuildRequest {
    /// Names of tables; empty means all.
    pub tables: Vec<String>,
    /// Folder for the new tables until they replace the old ones; on the same file system as those. What
    /// is in it is removed.
    pub folder: PathBuf,
    /// Settings while building: larger flushes are faster.
    pub settings: TableSettings,
}

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Last position that is folded.
    pub position: Option<Position>,
    /// Position of the live tables, up to which it goes.
    pub target: Option<Position>,
}

/// What a rebuild did.
#[derive(Clone, Debug, Default)]
pub struct Rebuilt {
    /// Tables that were replaced.
    pub tables: Vec<&'static str>,
    /// Events folded.
    pub events: u64,
    /// Events that some fold could not take.
    pub parked: Vec<Parked>,
    /// Position of the tables when they were put in place.
    pub position: Option<Position>,
}

/// Follows a rebuild; called after each batch.
pub type Watcher = Arc<dyn Fn(RebuildProgress) + Send + Sync>;

impl Projector {
    /// Makes tables again from the log and puts them in place of the live ones, all at once.
    ///
    /// Queries go on meanwhile, and so does the projector, except while the last events are caught up
    /// with and the tables change places. After an error or a crash the old tables are in place.
    pub async fn rebuild(&self, request: RebuildRequest, watcher: Watcher) -> Result<Rebuilt, Problem> {
        let (inner, handle) = (self.inner.clone(), Handle::current());
        let work = tokio::task::spawn_blocking(move || rebuild(&inner, &request, &watcher, &handle));
        work.await.map_err(|error| Problem::new(ErrorClass::Internal, format!("the rebuild ended: {error}")))?
    }
}

fn rebuild(inner: &Inner, request: &RebuildRequest, watcher: &Watcher, handle: &Handle) -> Result<Rebuilt, Problem> {
    let _only = inner
        .rebuilding
        .try_lock()
        .ok_or_else(|| Problem::new(ErrorClass::Conflict, "a rebuild is under way").hint("wait until it has ended"))?;
    let tables = chosen(inner, &request.tables)?;
    remove(&request.folder)?;
    let settings = request.settings.clone();
    let next = handle.block_on(TableStore::open(&request.folder, settings, inner.store.specs()))?;
    let folds = needed(inner.projections, &tables);
    let capacity = inner.settings.entities.saturating_mul(std::num::NonZeroUsize::MIN.saturating_add(3));
    let rebuilt = Rebuilt { tables: tables.clone(), ..Rebuilt::default() };
    let mut building = Building { inner, next, states: States::new(capacity), folds, rebuilt, handle };
    building.go_through(watcher)?;
    // From here the live projector waits: both stores must stand at one position.
    let mut live = inner.states.lock();
    while building.step()? {
        watcher(building.progress());
    }
    handle.block_on(inner.store.adopt(&building.next, &tables))?;
    live.clear();
    let Building { next, mut rebuilt, .. } = building;
    rebuilt.position = inner.store.snapshot().position();
    if tables.contains(&PARKED_EVENTS.name) {
        let mut told = inner.told.lock();
        told.parked = rebuilt.parked.len() as u64;
        told.latest_parked = rebuilt.parked.iter().rev().take(inner.settings.parked_listed).rev().cloned().collect();
    }
    drop(live);
    drop(next);
    remove(&request.folder)?;
    Ok(rebuilt)
}

/// Returns the tables to replace.
fn chosen(inner: &Inner, names: &[String]) -> Result<Vec<&'static str>, Problem> {
    let known = || inner.store.specs().iter().map(|spec| spec.name);
    if names.is_empty() {
        return Ok(known().collect());
    }
    let find = |name: &String| {
        if name == PARKED_EVENTS.name {
            return Err(Problem::new(ErrorClass::Invalid, "`parked_events` follows from all folds")
                .hint("rebuild all tables: leave out the names"));
        }
        let unknown = || Problem::new(ErrorClass::NotFound, format!("there is no base table `{name}`"));
        known().find(|known| known == name).ok_or_else(|| unknown().suggest(name, known()))
    };
    names.iter().map(find).collect()
}

/// Returns the folds that write the tables: documents also come from folds of other tables.
fn needed(projections: &[Box<dyn Projection>], tables: &[&str]) -> BTreeSet<&'static str> {
    let documents = tables.contains(&DOCUMENTS.name);
    let names = projections.iter().map(|fold| (fold.table().name, documents && fold.writes_documents()));
    names.filter(|(name, writes)| *writes || tables.contains(name)).map(|(name, _)| name).collect()
}

/// New tables in the making.
struct Building<'r> {
    inner: &'r Inner,
    next: Arc<TableStore>,
    states: States,
    folds: BTreeSet<&'static str>,
    rebuilt: Rebuilt,
    handle: &'r Handle,
}

impl Building<'_> {
    fn progress(&self) -> RebuildProgress {
        let position = self.next.snapshot().position();
        RebuildProgress { position, target: self.inner.store.snapshot().position() }
    }

    /// Folds everything up to where the live tables are now. The log is read ahead meanwhile.
    fn go_through(&mut self, watcher: &Watcher) -> Result<(), Problem> {
        let (log, settings) = (&self.inner.log, &self.inner.settings);
        let RebuildProgress { position, target } = self.progress();
        let (read, batches) = std::sync::mpsc::sync_channel(BATCHES_AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut after = position;
                while let Some(batch) = next_batch(&**log, settings, after, target).transpose() {
                    after = batch.as_ref().ok().and_then(|events| events.last()).map(|event| event.position);
                    let failed = batch.is_err();
                    if read.send(batch).is_err() || failed {
                        return;
                    }
                }
            });
            for events in batches {
                self.fold(&events?)?;
                watcher(self.progress());
            }
            Ok(())
        })
    }

    /// Folds one batch, not beyond the live tables. Returns whether there was anything to fold.
    fn step(&mut self) -> Result<bool, Problem> {
        let RebuildProgress { position, target } = self.progress();
        match next_batch(&*self.inner.log, &self.inner.settings, position, target)? {
            Some(events) => self.fold(&events).map(|()| true),
            None => Ok(false),
        }
    }

    fn fold(&mut self, events: &[Recorded]) -> Result<(), Problem> {
        let Some(last) = events.last() else { return Ok(()) };
        let folding = fold_all(self.inner.projections, &self.folds, &self.next, &mut self.states, events);
        let (deltas, entities, parked) = self.handle.block_on(folding)?;
        self.handle.block_on(self.next.apply(last.position, deltas))?;
        for (workspace, entities) in entities {
            self.states.give_back(&workspace, entities);
        }
        self.rebuilt.events += events.len() as u64;
        self.rebuilt.parked.extend(parked);
        Ok(())
    }
}

/// Batches that are read before they are folded.
const BATCHES_AHEAD: usize = 2;

/// Reads the batch behind `position`, not beyond `target`; nothing if that is reached.
fn next_batch(
    log: &dyn EventLog,
    settings: &ProjectorSettings,
    position: Option<Position>,
    target: Option<Position>,
) -> Result<Option<Vec<Recorded>>, Problem> {
    let at = |position: Option<Position>| position.map_or(0, Position::get);
    let left = usize::try_from(at(target).saturating_sub(at(position))).unwrap_or(usize::MAX);
    if left == 0 {
        return Ok(None);
    }
    let limit = ReadLimit { events: left.min(settings.batch_events), bytes: settings.batch_bytes };
    let events = log.read(position, limit).map_err(Problem::from)?;
    if events.is_empty() {
        let detail = format!("the tables are at position {}, but the log ends at {}", at(target), at(position));
        return Err(Problem::new(ErrorClass::Corrupt, detail).hint("restore the log from a backup"));
    }
    Ok(Some(events))
}

fn remove(folder: &Path) -> Result<(), Problem> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Problem::new(ErrorClass::Unavailable, format!("cannot remove {}: {error}", folder.display())))
        }
        _ => Ok(()),
    }
}

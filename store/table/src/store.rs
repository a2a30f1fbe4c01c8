//! [`TableStore`]: all tables of all workspaces. One writer applies, any number of snapshots read.

pub(crate) mod apply;
mod background;
mod states;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use partitura_event::{Position, Problem, Workspace};
use tokio::sync::{Notify, watch};

use crate::epoch::Epoch;
use crate::fault;
use crate::fault_point::FaultPoints;
use crate::files::Files;
use crate::flush::{Flusher, lance_tables};
use crate::open;
use crate::schema::TableSpec;
use crate::settings::TableSettings;
use crate::snapshot::Snapshot;
use crate::status::StoreStatus;

use self::apply::Writer;

/// All tables of all workspaces.
///
/// * **Durable:** what is at or before [`position`](Self::position) survives a power cut. What was
///   applied after it is lost by a crash, and the log gives it again.
/// * **Atomic:** all tables move together, in memory by one snapshot and on disk by one commit file.
/// * **One writer:** [`apply`](Self::apply), [`states`](Self::states) and [`flush`](Self::flush) may be
///   called by any task but are meant for the one projector; they wait for each other.
pub struct TableStore {
    /// For work that must go on when its caller stops waiting.
    pub(crate) me: Weak<Self>,
    pub(crate) files: Files,
    pub(crate) settings: TableSettings,
    pub(crate) specs: &'static [&'static TableSpec],
    pub(crate) writer: tokio::sync::Mutex<Writer>,
    pub(crate) flusher: tokio::sync::Mutex<Flusher>,
    pub(crate) published: ArcSwap<Snapshot>,
    pub(crate) positions: watch::Sender<Option<Position>>,
    /// Up to which position rows of a table came, since the store was opened.
    pub(crate) moves: Mutex<HashMap<Workspace, HashMap<&'static str, Position>>>,
    /// Counts ends of flushes, so that `apply` can wait for room.
    pub(crate) flush_ends: watch::Sender<u64>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) status: Mutex<StoreStatus>,
    pub(crate) faults: FaultPoints,
}

impl std::fmt::Debug for TableStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableStore").field("root", &self.files.root()).finish_non_exhaustive()
    }
}

impl TableStore {
    /// Opens the folder `dir`, or makes it, at the position of its commit file.
    ///
    /// What was written after the commit file is put aside and will never be read. Errors with class
    /// `Corrupt` when the folder was written by a newer program or a table that the commit file names
    /// is gone; the remedy is a rebuild from the log.
    pub async fn open(
        dir: &Path,
        settings: TableSettings,
        specs: &'static [&'static TableSpec],
    ) -> Result<Arc<Self>, Problem> {
        Self::open_with_faults(dir, settings, specs, FaultPoints::default()).await
    }

    /// Opens like [`open`](Self::open), and fails or stops where `faults` says. For tests of crashes.
    pub async fn open_with_faults(
        dir: &Path,
        settings: TableSettings,
        specs: &'static [&'static TableSpec],
        faults: FaultPoints,
    ) -> Result<Arc<Self>, Problem> {
        let files = Files::new(dir, &settings);
        let opened = open::open(&files, specs).await?;
        let position = opened.epoch.checkpoint;
        let mut flusher = Flusher::new(opened.commit, opened.synced);
        for (_, state) in opened.epoch.iter() {
            lance_tables(state).iter().for_each(|table| flusher.pins.watch(table));
        }
        let store = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            writer: tokio::sync::Mutex::new(Writer::new(settings.state_cache_bytes)),
            flusher: tokio::sync::Mutex::new(flusher),
            published: ArcSwap::new(Snapshot::new(position, Arc::new(opened.epoch), specs)),
            positions: watch::Sender::new(position),
            moves: Mutex::default(),
            flush_ends: watch::Sender::new(0),
            wake: Arc::new(Notify::new()),
            status: Mutex::new(StoreStatus { position, checkpoint: position, ..StoreStatus::default() }),
            files,
            settings,
            specs,
            faults,
        });
        background::spawn(&store);
        Ok(store)
    }

    /// Returns the durable position: a restart goes on behind it.
    pub fn position(&self) -> Option<Position> {
        self.snapshot().checkpoint()
    }

    /// Returns the latest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.load_full()
    }

    /// Follows the position of the latest snapshot.
    pub fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.positions.subscribe()
    }

    /// Returns the position up to which rows of a table came; none when nothing came since the store was opened.
    pub fn moved(&self, workspace: &Workspace, table: &str) -> Option<Position> {
        self.moves.lock().get(workspace)?.get(table).copied()
    }

    /// Returns the specs of all tables.
    pub fn specs(&self) -> &'static [&'static TableSpec] {
        self.specs
    }

    /// Describes the store.
    pub fn status(&self) -> StoreStatus {
        let snapshot = self.snapshot();
        let mut status = self.status.lock().clone();
        status.position = snapshot.position();
        status.checkpoint = snapshot.checkpoint();
        let tails = snapshot.epoch().iter().flat_map(|(_, state)| state.tails.clone());
        for tail in tails {
            status.tail_rows += tail.rows() as u64;
            status.tail_bytes += tail.bytes() as u64;
        }
        status
    }

    /// Makes everything that is applied durable, and ends the background work: when this returns, the
    /// store writes no file any more, and another one may open the folder. Snapshots stay readable.
    pub async fn close(&self) -> Result<(), Problem> {
        let flushed = self.flush().await;
        self.flusher.lock().await.close();
        flushed
    }

    /// Runs work to its end, even if the caller is cancelled: half a flush must not be left behind.
    pub(crate) async fn uncancelled<F>(&self, work: impl FnOnce(Arc<Self>) -> F) -> Result<(), Problem>
    where
        F: Future<Output = Result<(), Problem>> + Send + 'static,
    {
        let Some(me) = self.me.upgrade() else { return Ok(()) };
        tokio::spawn(work(me)).await.map_err(|error| fault::internal("work on the tables was interrupted", error))?
    }

    /// Publishes a snapshot. The caller holds the writer.
    pub(crate) fn publish(&self, position: Option<Position>, epoch: Arc<Epoch>) {
        self.published.store(Snapshot::new(position, epoch, self.specs));
        self.positions.send_if_modified(|published| std::mem::replace(published, position) != position);
    }
}

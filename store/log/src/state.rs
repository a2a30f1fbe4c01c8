//! What the writer's threads and all readers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use partitura_event::{Clock, Position, Timestamp};
use tokio::sync::watch;

use crate::error::LogError;
use crate::frame::Tip;
use crate::index::{Checkpoint, Layers};
use crate::settings::LogSettings;
use crate::shelf::Shelf;
use crate::writer::Recording;

/// The durable state of an open log.
pub(crate) struct State {
    pub(crate) shelf: Shelf,
    pub(crate) layers: Layers,
    pub(crate) recording: Recording,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: LogSettings,
    pub(crate) head: watch::Sender<Option<Position>>,
    tip: RwLock<Tip>,
    durable_group: AtomicU64,
    /// Counts commits that failed without harm.
    epoch: AtomicU64,
    /// The first failed write or sync.
    poison: Mutex<Option<String>>,
}

impl State {
    pub(crate) fn new(shelf: Shelf, layers: Layers, tip: Tip, clock: Arc<dyn Clock>, settings: LogSettings) -> Self {
        let last = Timestamp::from_micros(tip.recorded_at).unwrap_or(Timestamp::MIN);
        Self {
            shelf,
            layers,
            recording: Recording::new(last),
            clock,
            settings,
            head: watch::Sender::new(tip.head()),
            tip: RwLock::new(tip),
            durable_group: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            poison: Mutex::new(None),
        }
    }

    /// Returns the log's durable end.
    pub(crate) fn tip(&self) -> Tip {
        *self.tip.read()
    }

    /// Shows a durable commit to all readers, whose frames and entries are in place.
    pub(crate) fn publish(&self, group: u64, tip: Tip) {
        *self.tip.write() = tip;
        self.durable_group.store(group, Ordering::Release);
        let head = tip.head();
        self.head.send_if_modified(|seen| std::mem::replace(seen, head) != head);
    }

    /// Returns the number of the last durable commit.
    pub(crate) fn durable_group(&self) -> u64 {
        self.durable_group.load(Ordering::Acquire)
    }

    /// Returns how many commits failed without harm.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Refuses all commits that were judged on top of the one that failed.
    pub(crate) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Stops all writing for good.
    pub(crate) fn poison(&self, detail: String) {
        let mut poison = self.poison.lock();
        if poison.is_none() {
            tracing::error!(detail, "log stopped after a failed write");
            *poison = Some(detail);
        }
    }

    /// Fails if a write failed before.
    pub(crate) fn check_sound(&self) -> Result<(), LogError> {
        match &*self.poison.lock() {
            Some(detail) => Err(LogError::Poisoned { detail: detail.clone() }),
            None => Ok(()),
        }
    }

    /// Returns the place in the index up to `tip`, which ends at `offset` of `segment`.
    pub(crate) const fn checkpoint(segment: u64, offset: u64, tip: &Tip) -> Checkpoint {
        Checkpoint { segment, offset, sequence: tip.sequence, position: tip.position, hash: tip.hash }
    }
}

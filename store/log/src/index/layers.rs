//! The index as readers see it: the store, and above it the layers that it does not have yet.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};
use partitura_event::{Position, Revision};

use crate::error::LogError;
use crate::judge::{Known, Past};
use crate::key::Key;

use super::{Checkpoint, Index, Layer};

/// Layers that wait for the store; above that the log refuses to grow.
const WAITING_MAX: usize = 8;

/// All entries of durable frames.
pub(crate) struct Layers {
    store: Arc<dyn Index>,
    /// Entries in one layer, above which it is given to the store.
    layer_events: usize,
    memory: RwLock<Memory>,
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Memory {
    /// Oldest first; the store works on the first.
    frozen: VecDeque<Arc<Layer>>,
    active: Layer,
}

#[derive(Default)]
struct Work {
    /// Checkpoints of the frozen layers.
    checkpoints: VecDeque<Checkpoint>,
    /// Of the active layer.
    last: Option<Checkpoint>,
    failed: Option<LogError>,
    closing: bool,
}

impl Layers {
    pub(crate) fn new(store: Arc<dyn Index>, layer_events: usize) -> Self {
        let (memory, work, changed) = (RwLock::default(), Mutex::default(), Condvar::new());
        Self { store, layer_events, memory, work, changed }
    }

    /// Adds the entries of durable frames up to `checkpoint`.
    pub(crate) fn add(&self, layer: &Layer, checkpoint: Checkpoint) {
        let mut memory = self.memory.write();
        if memory.active.weight() == 0 && memory.active.events.capacity() == 0 {
            memory.active.events.reserve(self.layer_events.min(1 << 16));
        }
        memory.active.absorb(layer);
        let full = memory.active.weight() >= self.layer_events;
        let mut work = self.work.lock();
        work.last = Some(checkpoint);
        if full {
            freeze(&mut memory, &mut work);
            self.changed.notify_all();
        }
    }

    /// Fails when the store is so far behind that memory would grow without end.
    pub(crate) fn check_room(&self) -> Result<(), LogError> {
        let mut work = self.work.lock();
        while work.checkpoints.len() > WAITING_MAX && work.failed.is_none() && !work.closing {
            self.changed.wait(&mut work);
        }
        match &work.failed {
            Some(error) if work.checkpoints.len() > WAITING_MAX => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Stores the oldest frozen layer; `false` if there is none.
    pub(crate) fn store_one(&self) -> bool {
        let Some(checkpoint) = self.work.lock().checkpoints.front().copied() else { return false };
        let Some(layer) = self.memory.read().frozen.front().cloned() else { return false };
        let stored = self.store.store(&layer, &checkpoint);
        let mut memory = self.memory.write();
        let mut work = self.work.lock();
        match stored {
            Ok(()) => {
                memory.frozen.pop_front();
                work.checkpoints.pop_front();
                work.failed = None;
            }
            Err(error) => {
                tracing::warn!(%error, waiting = work.checkpoints.len(), "log index cannot store entries");
                work.failed = Some(error);
            }
        }
        self.changed.notify_all();
        work.failed.is_none()
    }

    /// Stores layers as they fill up, until [`Self::close`]. Runs on a thread of its own.
    pub(crate) fn run(&self) {
        loop {
            let mut work = self.work.lock();
            while work.checkpoints.is_empty() && !work.closing {
                self.changed.wait(&mut work);
            }
            if work.closing {
                return;
            }
            drop(work);
            if !self.store_one() {
                let mut work = self.work.lock();
                self.changed.wait_for(&mut work, std::time::Duration::from_secs(1));
            }
        }
    }

    /// Lets [`Self::run`] return.
    pub(crate) fn close(&self) {
        self.work.lock().closing = true;
        self.changed.notify_all();
    }

    /// Stores all that is in memory, as far as the store allows it.
    pub(crate) fn flush(&self) {
        let mut memory = self.memory.write();
        let mut work = self.work.lock();
        if memory.active.weight() > 0 {
            freeze(&mut memory, &mut work);
        }
        drop((memory, work));
        while self.store_one() {}
    }

    /// Returns at most `limit` positions of a stream, from revision `from` on.
    pub(crate) fn positions(&self, stream: Key, from: Revision, limit: usize) -> Result<Vec<Position>, LogError> {
        let runs: Vec<_> = {
            let memory = self.memory.read();
            let layers = memory.frozen.iter().map(|layer| &**layer).chain([&memory.active]);
            layers.filter_map(|layer| layer.streams.get(&stream).cloned()).collect()
        };
        let mut found = Vec::new();
        if runs.first().is_none_or(|run| run.first > from) {
            found = self.trusted(self.store.positions(stream, from, limit))?;
        }
        for run in &runs {
            let wanted = limit - found.len().min(limit);
            let next = from.get() + found.len() as u64;
            match next.checked_sub(run.first.get()) {
                Some(skip) => found.extend(run.positions.iter().skip(skip as usize).take(wanted)),
                None if wanted == 0 => {}
                None => return self.trusted(Err(LogError::Index { detail: "a stream has a gap".to_owned() })),
            }
        }
        Ok(found)
    }

    /// Returns the stored answer to a request.
    pub(crate) fn answer(&self, request: Key) -> Result<Option<Arc<[u8]>>, LogError> {
        if let Some(answer) = self.newest(|layer| layer.answers.get(&request).cloned()) {
            return Ok(Some(answer));
        }
        Ok(self.trusted(self.store.answer(request))?.map(Into::into))
    }

    fn newest<T>(&self, look: impl Fn(&Layer) -> Option<T>) -> Option<T> {
        let memory = self.memory.read();
        look(&memory.active).or_else(|| memory.frozen.iter().rev().find_map(|layer| look(layer)))
    }

    fn trusted<T>(&self, found: Result<T, LogError>) -> Result<T, LogError> {
        found.inspect_err(|error| {
            tracing::error!(%error, "log index look-up failed; it is rebuilt at the next start");
            self.store.distrust();
        })
    }
}

fn freeze(memory: &mut Memory, work: &mut Work) {
    if let Some(checkpoint) = work.last {
        let layer = std::mem::take(&mut memory.active);
        memory.frozen.push_back(Arc::new(layer));
        work.checkpoints.push_back(checkpoint);
    }
}

impl Past for Layers {
    fn event(&self, key: Key) -> Result<Option<Known>, LogError> {
        match self.newest(|layer| layer.events.get(&key).copied()) {
            Some(known) => Ok(Some(known)),
            None => self.trusted(self.store.event(key)),
        }
    }

    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError> {
        match self.newest(|layer| layer.revision(stream)) {
            Some(revision) => Ok(Some(revision)),
            None => self.trusted(self.store.revision(stream)),
        }
    }
}

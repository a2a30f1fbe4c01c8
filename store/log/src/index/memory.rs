//! An index in memory, for simulations: it survives a simulated crash as far as a test lets it.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use partitura_event::{Position, Revision};

use crate::error::LogError;
use crate::judge::Known;
use crate::key::Key;

use super::{Checkpoint, Index, Layer};

/// Keeps entries in maps.
#[derive(Default)]
pub struct MemoryIndex(Mutex<Maps>);

#[derive(Clone, Default)]
struct Maps {
    checkpoint: Option<Checkpoint>,
    events: BTreeMap<Key, Known>,
    streams: BTreeMap<(Key, Revision), Position>,
    answers: BTreeMap<Key, Vec<u8>>,
}

impl MemoryIndex {
    /// Returns a copy of what is stored: an old one is what a crash may leave.
    pub fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().clone()))
    }

    /// Returns a copy without the checkpoint's last advance: entries are there, but may lag.
    pub fn copy_with_checkpoint(&self, checkpoint: Option<Checkpoint>) -> Self {
        let mut maps = self.0.lock().clone();
        maps.checkpoint = checkpoint;
        Self(Mutex::new(maps))
    }
}

impl Index for MemoryIndex {
    fn checkpoint(&self) -> Result<Option<Checkpoint>, LogError> {
        Ok(self.0.lock().checkpoint)
    }

    fn event(&self, key: Key) -> Result<Option<Known>, LogError> {
        Ok(self.0.lock().events.get(&key).copied())
    }

    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError> {
        let maps = self.0.lock();
        let all = (stream, Revision::FIRST)..(Key(stream.0.saturating_add(1)), Revision::FIRST);
        Ok(maps.streams.range(all).next_back().map(|((_, revision), _)| *revision))
    }

    fn positions(&self, stream: Key, from: Revision, limit: usize) -> Result<Vec<Position>, LogError> {
        let maps = self.0.lock();
        let range = maps.streams.range((stream, from)..).take_while(|((key, _), _)| *key == stream);
        Ok(range.take(limit).map(|(_, position)| *position).collect())
    }

    fn answer(&self, request: Key) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.0.lock().answers.get(&request).cloned())
    }

    fn store(&self, layer: &Layer, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let mut maps = self.0.lock();
        maps.events.extend(layer.events.iter().map(|(key, known)| (*key, *known)));
        for (key, run) in &layer.streams {
            for (revision, position) in (run.first.get()..).zip(&run.positions) {
                maps.streams.extend(Revision::new(revision).map(|revision| ((*key, revision), *position)));
            }
        }
        maps.answers.extend(layer.answers.iter().map(|(key, answer)| (*key, answer.to_vec())));
        maps.checkpoint = Some(*checkpoint);
        Ok(())
    }

    fn clear(&self) -> Result<(), LogError> {
        *self.0.lock() = Maps::default();
        Ok(())
    }

    fn distrust(&self) {}
}

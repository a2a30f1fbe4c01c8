//! Index entries in memory: of one commit, or of all commits that the index has not stored yet.

use std::sync::Arc;

use partitura_event::{Position, Revision};

use crate::judge::Known;
use crate::key::{Key, KeyMap};

/// What the entries of one event take in memory, roughly, in bytes.
const EVENT_BYTES: usize = 128;

/// Entries of consecutive frames.
#[derive(Debug, Default)]
pub struct Layer {
    pub(crate) events: KeyMap<Known>,
    pub(crate) streams: KeyMap<Run>,
    pub(crate) answers: KeyMap<Arc<[u8]>>,
    answer_bytes: usize,
}

/// Positions of consecutive revisions of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) first: Revision,
    pub(crate) positions: Vec<Position>,
}

impl Run {
    /// Returns the last revision.
    pub(crate) fn last(&self) -> Option<Revision> {
        Revision::new(self.first.get() + self.positions.len() as u64 - 1)
    }
}

impl Layer {
    /// Adds an event; a stream's events come in order.
    pub(crate) fn add_event(&mut self, event: Key, stream: Key, known: Known) {
        self.events.insert(event, known);
        let run = self.streams.entry(stream).or_insert_with(|| Run { first: known.revision, positions: Vec::new() });
        run.positions.push(known.position);
    }

    /// Adds the stored answer to a request.
    pub(crate) fn add_answer(&mut self, request: Key, answer: Arc<[u8]>) {
        self.answer_bytes += answer.len() + EVENT_BYTES;
        self.answers.insert(request, answer);
    }

    /// Adds all entries of a later layer.
    pub(crate) fn absorb(&mut self, later: &Self) {
        self.events.extend(later.events.iter().map(|(key, known)| (*key, *known)));
        for (key, run) in &later.streams {
            match self.streams.get_mut(key) {
                Some(earlier) => earlier.positions.extend_from_slice(&run.positions),
                None => drop(self.streams.insert(*key, run.clone())),
            }
        }
        self.answers.extend(later.answers.iter().map(|(key, answer)| (*key, Arc::clone(answer))));
        self.answer_bytes += later.answer_bytes;
    }

    /// Returns roughly how much it holds, in events; stored answers count by their size.
    pub(crate) fn weight(&self) -> usize {
        self.events.len() + self.answer_bytes.div_ceil(EVENT_BYTES)
    }

    /// Returns a stream's last revision, if the layer has an event of it.
    pub(crate) fn revision(&self, stream: Key) -> Option<Revision> {
        self.streams.get(&stream).and_then(Run::last)
    }
}

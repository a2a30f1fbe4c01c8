//! Fold states that were read or written lately. An id's state never changes, so nothing goes stale.

use bytes::Bytes;
use lru::LruCache;
use partitura_event::Workspace;

use crate::row_id::RowId;

type Name = (Workspace, &'static str, RowId);

/// A cache with a limit in bytes.
pub(crate) struct StateCache {
    states: LruCache<Name, Bytes>,
    bytes: usize,
    limit: usize,
}

/// What an entry costs beside its state: the name, the links, the slot.
const OVERHEAD: usize = 160;

impl StateCache {
    /// Makes an empty cache that holds at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { states: LruCache::unbounded(), bytes: 0, limit }
    }

    /// Returns how many bytes it holds at most.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Returns what keeping a state costs.
    pub const fn cost(state: &[u8]) -> usize {
        state.len() + OVERHEAD
    }

    /// Returns a state and marks it as used.
    pub fn get(&mut self, workspace: &Workspace, table: &'static str, id: RowId) -> Option<Bytes> {
        self.states.get(&(workspace.clone(), table, id)).cloned()
    }

    /// Keeps a state, and lets go of those that were not used for longest.
    pub fn put(&mut self, workspace: &Workspace, table: &'static str, id: RowId, state: Bytes) {
        self.bytes += Self::cost(&state);
        if let Some(old) = self.states.put((workspace.clone(), table, id), state) {
            self.bytes -= Self::cost(&old);
        }
        while self.bytes > self.limit {
            let Some((_, old)) = self.states.pop_lru() else { break };
            self.bytes -= Self::cost(&old);
        }
    }
}

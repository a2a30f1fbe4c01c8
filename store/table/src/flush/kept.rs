//! The fold states of rows that leave the tail.

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use partitura_event::Workspace;

use crate::epoch::TableState;
use crate::row_id::RowIds;
use crate::schema::{STATE, Shape};
use crate::state_cache::StateCache;

/// Share of the cache that one table's states may take after a flush.
const KEPT_SHARE: usize = 4;

/// Keeps the fold states of the latest rows that leave the tail: an entity that moved lately moves again.
pub(super) fn keep_latest(cache: &mut StateCache, workspace: &Workspace, state: &TableState) {
    if state.spec.shape != Shape::Keyed {
        return;
    }
    let (table, closed) = (state.spec.name, state.live().closed());
    let mut room = cache.limit() / KEPT_SHARE;
    for chunk in state.live().chunks(u64::MAX).unwrap_or_default().iter().rev() {
        let (Ok(ids), Some(states)) = (RowIds::of(chunk), chunk.column_by_name(STATE)) else { continue };
        let Some(states) = states.as_binary_opt::<i32>() else { continue };
        for row in (0..ids.len()).rev().filter(|row| states.is_valid(*row)) {
            let id = ids.get(row);
            if closed.contains_key(&id) {
                continue;
            }
            let bytes = states.value(row);
            match room.checked_sub(StateCache::cost(bytes)) {
                Some(left) => room = left,
                None => return,
            }
            cache.put(workspace, table, id, Bytes::copy_from_slice(bytes));
        }
    }
}

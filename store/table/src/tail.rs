//! The hot tail of one table: rows that are applied but not yet in Lance, and what they close.
//!
//! One writer appends; any number of readers look. A reader holds a position `end` and ignores what
//! came after it, so nothing is copied when a snapshot is published: rows with `_pos > end` and
//! closings at a position beyond `end` do not exist for it.
//!
//! Small batches are merged like the digits of a binary counter, so that ten thousand applies of one
//! row leave some fourteen chunks, each row having been copied about as often.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parking_lot::RwLock;
use partitura_event::{ErrorClass, Problem};

use crate::row_id::{RowId, RowIdMap, RowIds};

/// Chunks are merged until they have this many rows.
const CHUNK_ROWS: usize = 8192;

/// Rows and closings of one table since some checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: Vec<RecordBatch>,
    closed: Arc<RowIdMap<u64>>,
    rows: usize,
    bytes: usize,
}

impl Tail {
    /// Appends rows whose ids follow those already here.
    pub fn append(&self, batch: RecordBatch) -> Result<(), Problem> {
        let mut inner = self.inner.write();
        inner.rows += batch.num_rows();
        inner.bytes += batch_bytes(&batch);
        inner.chunks.push(batch);
        while let [.., before, last] = inner.chunks.as_slice() {
            if last.num_rows() < before.num_rows() || before.num_rows() + last.num_rows() > CHUNK_ROWS {
                break;
            }
            let merged = concat_batches(before.schema_ref(), [before, last]).map_err(|error| {
                Problem::new(ErrorClass::Internal, format!("rows of the hot tail cannot be merged: {error}"))
            })?;
            let keep = inner.chunks.len() - 2;
            inner.chunks.truncate(keep);
            inner.chunks.push(merged);
        }
        Ok(())
    }

    /// Closes versions at positions. The rows may be in this tail, in an older one or in Lance.
    pub fn close(&self, closings: &[(RowId, u64)]) {
        if closings.is_empty() {
            return;
        }
        let mut inner = self.inner.write();
        Arc::make_mut(&mut inner.closed).extend(closings.iter().copied());
    }

    /// Returns the rows up to and including position `end`, in the order of their ids.
    pub fn chunks(&self, end: u64) -> Result<Vec<RecordBatch>, Problem> {
        let chunks = self.inner.read().chunks.clone();
        let mut visible = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let ids = RowIds::of(&chunk)?;
            let rows = ids.count_until(end);
            match rows {
                0 => break,
                rows if rows == chunk.num_rows() => visible.push(chunk),
                rows => visible.push(chunk.slice(0, rows)),
            }
        }
        Ok(visible)
    }

    /// Returns one row as a batch of length one.
    pub fn find(&self, id: RowId) -> Result<Option<RecordBatch>, Problem> {
        let inner = self.inner.read();
        for chunk in inner.chunks.iter().rev() {
            let ids = RowIds::of(chunk)?;
            if let Some(row) = ids.find(id) {
                return Ok(Some(chunk.slice(row, 1)));
            }
        }
        Ok(None)
    }

    /// Returns the closings known here, also those beyond the reader's position.
    pub fn closed(&self) -> Arc<RowIdMap<u64>> {
        self.inner.read().closed.clone()
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> usize {
        self.inner.read().rows
    }

    /// Returns the size of the rows in bytes.
    pub fn bytes(&self) -> usize {
        self.inner.read().bytes
    }

    /// Returns whether there is nothing to flush.
    pub fn is_empty(&self) -> bool {
        let inner = self.inner.read();
        inner.rows == 0 && inner.closed.is_empty()
    }
}

/// Returns the bytes that the rows use, not what their buffers were allocated with.
pub(crate) fn batch_bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns
        .map(|column| column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()))
        .sum()
}

/// Which rows are closed for a reader at one position.
#[derive(Clone, Debug)]
pub(crate) struct ClosedRows {
    maps: Vec<Arc<RowIdMap<u64>>>,
    end: u64,
}

impl ClosedRows {
    /// Joins the closings of the tails of a table, for a reader at `end`.
    pub fn new(tails: &[Arc<Tail>], end: u64) -> Self {
        let maps = tails.iter().map(|tail| tail.closed()).filter(|map| !map.is_empty()).collect();
        Self { maps, end }
    }

    /// Returns where the row was closed, if the reader can see that.
    pub fn closed_at(&self, id: RowId) -> Option<u64> {
        self.maps.iter().find_map(|map| map.get(&id).copied()).filter(|at| *at <= self.end)
    }

    /// Returns the closed rows with an id that `wanted` accepts, and where they were closed, sorted.
    pub fn list(&self, wanted: impl Fn(RowId) -> bool) -> Vec<(RowId, u64)> {
        let all = self.maps.iter().flat_map(|map| map.iter());
        let mut rows: Vec<_> =
            all.filter(|(id, at)| **at <= self.end && wanted(**id)).map(|(id, at)| (*id, *at)).collect();
        rows.sort_unstable();
        rows
    }
}

//! Sorting the rows of a frozen tail: which are current, which are closed, and what they close in Lance.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use partitura_event::Problem;

use crate::epoch::TableState;
use crate::fault;
use crate::provider::names;
use crate::provider::reshape::conform;
use crate::row_id::{RowId, RowIds};
use crate::schema::{POS_TO, Shape};

/// What a flush does to one table.
pub(crate) struct FlushRows {
    /// Rows to add, in the order of their ids.
    pub current: Vec<RecordBatch>,
    /// Rows of Lance that are closed, in the order of their ids.
    pub deleted: Vec<RowId>,
    /// Closed versions to add to the history.
    pub closed: Vec<RecordBatch>,
}

/// Sorts the rows of the frozen tail of a table whose Lance part is at `checkpoint`.
pub(crate) async fn collect(state: &TableState, checkpoint: u64) -> Result<FlushRows, Problem> {
    let tail = state.live();
    let stored = state.spec.stored_schema();
    let mut rows = FlushRows { current: Vec::new(), deleted: Vec::new(), closed: Vec::new() };
    if state.spec.shape == Shape::Append {
        for chunk in tail.chunks(u64::MAX)? {
            rows.current.push(to_schema(&chunk, None, &stored)?);
        }
        return Ok(rows);
    }
    let history = state.spec.stored_history_schema();
    let closed = tail.closed();
    let mut in_lance: Vec<(RowId, u64)> =
        closed.iter().filter(|(id, _)| id.pos() <= checkpoint).map(|(id, at)| (*id, *at)).collect();
    in_lance.sort_unstable();
    if let (Some(current), false) = (&state.current, in_lance.is_empty()) {
        let ids: Vec<RowId> = in_lance.iter().map(|(id, _)| *id).collect();
        let columns: Vec<&str> = names(&history).into_iter().filter(|name| *name != POS_TO).collect();
        let taken = current.take(&ids, &columns).await?;
        let ends: ArrayRef = Arc::new(UInt64Array::from_iter_values(in_lance.iter().map(|(_, at)| *at)));
        rows.closed.push(to_schema(&taken, Some(&ends), &history)?);
        rows.deleted = ids;
    }
    for chunk in tail.chunks(u64::MAX)? {
        let ends: Vec<Option<u64>> = RowIds::of(&chunk)?.iter().map(|id| closed.get(&id).copied()).collect();
        let select = |wanted: bool| {
            let mask: BooleanArray = ends.iter().map(|end| Some(end.is_some() == wanted)).collect();
            filter_record_batch(&chunk, &mask).map_err(|error| fault::internal("rows cannot be selected", error))
        };
        let (old, new) = (select(true)?, select(false)?);
        if old.num_rows() > 0 {
            let ends: ArrayRef = Arc::new(UInt64Array::from_iter_values(ends.iter().flatten().copied()));
            rows.closed.push(to_schema(&old, Some(&ends), &history)?);
        }
        if new.num_rows() > 0 {
            rows.current.push(to_schema(&new, None, &stored)?);
        }
    }
    Ok(rows)
}

fn to_schema(batch: &RecordBatch, pos_to: Option<&ArrayRef>, schema: &SchemaRef) -> Result<RecordBatch, Problem> {
    conform(batch, pos_to, schema).map_err(|error| fault::internal("rows do not fit their table", error))
}

//! Reading back fold states, so that the projector can go on from them.

use arrow::array::{Array, AsArray, RecordBatch};
use bytes::Bytes;
use partitura_event::{ErrorClass, Problem, Workspace};

use crate::epoch::TableState;
use crate::fault;
use crate::row_id::{RowId, RowIdMap, RowIds};
use crate::schema::{ORD, POS, STATE, Shape};
use crate::store::TableStore;

impl TableStore {
    /// Returns the fold states of the current versions of keys, in the order of the keys; `None` for a
    /// key that has no version or one without state.
    ///
    /// Sees everything that was applied. Keys that do not exist cost no look-up; others come from the
    /// tail, a cache, or one read of Lance for all that are left.
    pub async fn states(
        &self,
        workspace: &Workspace,
        table: &str,
        keys: &[String],
    ) -> Result<Vec<Option<Bytes>>, Problem> {
        let spec = self.specs.iter().find(|spec| spec.name == table && spec.shape == Shape::Keyed);
        let spec = spec.ok_or_else(|| {
            Problem::new(ErrorClass::Internal, format!("states of {table}, which is not a keyed table"))
        })?;
        let mut writer = self.writer.lock().await;
        let snapshot = self.snapshot();
        let Some(state) = snapshot.epoch().table(workspace, spec.name) else { return Ok(vec![None; keys.len()]) };
        writer.load_keys(snapshot.epoch(), workspace, spec).await?;
        let index = writer.keys.get(&(workspace.clone(), spec.name));
        let ids: Vec<Option<RowId>> = keys.iter().map(|key| index.and_then(|index| index.get(key))).collect();
        let mut found: RowIdMap<Option<Bytes>> = RowIdMap::default();
        let mut in_lance = Vec::new();
        for id in ids.iter().flatten() {
            if found.contains_key(id) {
                continue;
            }
            if let Some(bytes) = writer.states.get(workspace, spec.name, *id) {
                found.insert(*id, Some(bytes));
            } else if let Some(row) = in_tail(state, *id)? {
                found.insert(*id, state_of(&row, 0)?);
            } else {
                found.insert(*id, None);
                in_lance.push(*id);
            }
        }
        for (id, bytes) in read(state, in_lance).await? {
            if let Some(bytes) = &bytes {
                writer.states.put(workspace, spec.name, id, bytes.clone());
            }
            found.insert(id, bytes);
        }
        Ok(ids.into_iter().map(|id| found.get(&id?).cloned().flatten()).collect())
    }
}

fn in_tail(state: &TableState, id: RowId) -> Result<Option<RecordBatch>, Problem> {
    for tail in state.tails.iter().rev() {
        if let Some(row) = tail.find(id)? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

async fn read(state: &TableState, mut ids: Vec<RowId>) -> Result<Vec<(RowId, Option<Bytes>)>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let table = state.current.as_deref();
    let table = table.ok_or_else(|| fault::internal("no files of table", state.spec.name))?;
    ids.sort_unstable();
    let rows = table.take(&ids, &[POS, ORD, STATE]).await?;
    let ids: Vec<RowId> = RowIds::of(&rows)?.iter().collect();
    ids.into_iter().enumerate().map(|(row, id)| Ok((id, state_of(&rows, row)?))).collect()
}

/// Returns a copy of a state, so that it does not keep the batch in memory.
fn state_of(rows: &RecordBatch, row: usize) -> Result<Option<Bytes>, Problem> {
    let states = rows.column_by_name(STATE).and_then(|column| column.as_binary_opt::<i32>());
    let states = states.ok_or_else(|| fault::internal("rows have no column", STATE))?;
    Ok(states.is_valid(row).then(|| Bytes::copy_from_slice(states.value(row))))
}

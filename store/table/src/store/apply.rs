//! Applying rows: in memory, at once, for all tables together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use futures::TryStreamExt;
use partitura_event::{ErrorClass, Position, Problem, Workspace};
use tokio::time::Instant;

use crate::delta::{self, Delta};
use crate::epoch::{Epoch, TableState};
use crate::fault;
use crate::key_index::KeyIndex;
use crate::lance_table::LanceTable;
use crate::row_id::{RowId, RowIds};
use crate::schema::{KEY, ORD, POS, Shape, TableSpec};
use crate::state_cache::StateCache;
use crate::store::TableStore;
use crate::tail::batch_bytes;

/// What only the writer knows.
pub(crate) struct Writer {
    /// The keys of each keyed table that was written to since the store was opened.
    pub keys: HashMap<(Workspace, &'static str), KeyIndex>,
    pub states: StateCache,
    /// Rows and bytes since the last freeze.
    pub live_rows: usize,
    pub live_bytes: usize,
    /// When the first unflushed batch was applied.
    pub dirty_since: Option<Instant>,
}

impl Writer {
    pub fn new(state_cache_bytes: usize) -> Self {
        Self {
            keys: HashMap::new(),
            states: StateCache::new(state_cache_bytes),
            live_rows: 0,
            live_bytes: 0,
            dirty_since: None,
        }
    }

    /// Loads the keys of a keyed table, unless they are here.
    pub async fn load_keys(
        &mut self,
        epoch: &Epoch,
        workspace: &Workspace,
        spec: &'static TableSpec,
    ) -> Result<(), Problem> {
        let name = (workspace.clone(), spec.name);
        if spec.shape == Shape::Keyed && !self.keys.contains_key(&name) {
            let current = epoch.table(workspace, spec.name).and_then(|state| state.current.as_deref());
            let keys = match current {
                Some(table) => read_keys(table).await?,
                None => KeyIndex::default(),
            };
            self.keys.insert(name, keys);
        }
        Ok(())
    }

    /// Makes the rows the current versions of their keys; returns what they close, and where.
    fn replace(&mut self, workspace: &Workspace, table: &'static str, batch: &RecordBatch) -> Vec<(RowId, u64)> {
        let (Some(index), Ok(ids), Some(keys)) = (
            self.keys.get_mut(&(workspace.clone(), table)),
            RowIds::of(batch),
            batch.column_by_name(KEY).and_then(|column| column.as_string_opt::<i32>()),
        ) else {
            return Vec::new();
        };
        let rows = ids.iter().zip(keys.iter());
        rows.filter_map(|(id, key)| index.replace(key.unwrap_or_default(), id).map(|old| (old, id.pos()))).collect()
    }
}

async fn read_keys(table: &LanceTable) -> Result<KeyIndex, Problem> {
    let failed = |error: lance::Error| fault::lance("cannot read the keys of a table", &error);
    let mut scanner = table.dataset().scan();
    scanner.scan_in_order(false).project(&[KEY, POS, ORD]).map_err(failed)?;
    let mut stream = scanner.try_into_stream().await.map_err(failed)?;
    let mut index = KeyIndex::with_capacity(table.rows() as usize);
    while let Some(batch) = stream.try_next().await.map_err(failed)? {
        let keys = batch.column_by_name(KEY).and_then(|column| column.as_string_opt::<i32>());
        let keys = keys.ok_or_else(|| fault::internal("a scan has no column", KEY))?;
        for (id, key) in RowIds::of(&batch)?.iter().zip(keys.iter()) {
            index.replace(key.unwrap_or_default(), id);
        }
    }
    if index.len() as u64 != table.rows() {
        let detail = format!("table {} has {} rows of {} keys", table.path(), table.rows(), index.len());
        return Err(Problem::new(ErrorClass::Corrupt, detail).hint("rebuild the tables from the log"));
    }
    Ok(index)
}

type Shaped = BTreeMap<(Workspace, &'static str), (&'static TableSpec, RecordBatch)>;

impl TableStore {
    /// Applies the rows of all events up to `upto` and publishes a snapshot of that position.
    ///
    /// `upto` must be behind the position of the latest snapshot, and so must the `_pos` of each row.
    /// Nothing is applied when it errors. Does not wait for the disk, but waits while the hot tail is
    /// `backlog_factor` times larger than what starts a flush, and errors when it is and flushes fail.
    pub async fn apply(&self, upto: Position, deltas: Vec<(Workspace, Vec<Delta>)>) -> Result<(), Problem> {
        self.wait_for_room().await?;
        let mut writer = self.writer.lock().await;
        let snapshot = self.snapshot();
        if snapshot.position() >= Some(upto) {
            let at = snapshot.position().map_or(0, Position::get);
            let detail = format!("position {upto} was applied before; the tables are at {at}");
            return Err(Problem::new(ErrorClass::Internal, detail));
        }
        let shaped = self.shape(snapshot.position(), upto, deltas)?;
        for ((workspace, _), (spec, _)) in &shaped {
            writer.load_keys(snapshot.epoch(), workspace, spec).await?;
        }
        let epoch = with_tables(snapshot.epoch(), &shaped);
        let moved: Vec<_> = shaped.keys().cloned().collect();
        for ((workspace, name), (_, batch)) in shaped {
            let Some(state) = epoch.table(&workspace, name) else { continue };
            writer.live_rows += batch.num_rows();
            writer.live_bytes += batch_bytes(&batch);
            state.live().close(&writer.replace(&workspace, name, &batch));
            state.live().append(batch)?;
        }
        writer.dirty_since.get_or_insert_with(Instant::now);
        {
            let mut moves = self.moves.lock();
            for (workspace, name) in moved {
                moves.entry(workspace).or_default().insert(name, upto);
            }
        }
        self.publish(Some(upto), epoch);
        if writer.live_rows >= self.settings.flush_rows || writer.live_bytes >= self.settings.flush_bytes {
            self.wake.notify_one();
        }
        Ok(())
    }

    fn shape(
        &self,
        after: Option<Position>,
        upto: Position,
        deltas: Vec<(Workspace, Vec<Delta>)>,
    ) -> Result<Shaped, Problem> {
        let mut grouped: BTreeMap<(Workspace, &'static str), (&'static TableSpec, Vec<RecordBatch>)> = BTreeMap::new();
        for (workspace, deltas) in deltas {
            for Delta { table, batch } in deltas {
                let spec = self.specs.iter().find(|spec| spec.name == table).ok_or_else(|| {
                    Problem::new(ErrorClass::Internal, format!("a delta names the unknown table {table}"))
                })?;
                if batch.num_rows() > 0 {
                    let group = grouped.entry((workspace.clone(), spec.name));
                    group.or_insert_with(|| (*spec, Vec::new())).1.push(batch);
                }
            }
        }
        let shape = |(name, (spec, batches)): ((Workspace, &'static str), (&'static TableSpec, Vec<RecordBatch>))| {
            let schema = spec.delta_schema();
            let batches = batches.iter().map(|batch| delta::conform(spec, &schema, batch));
            let batches = batches.collect::<Result<Vec<_>, _>>()?;
            let joined = match batches.as_slice() {
                [one] => one.clone(),
                many => {
                    concat_batches(&schema, many).map_err(|error| fault::internal("deltas cannot be joined", error))?
                }
            };
            Ok((name, (spec, delta::order(spec, joined, after, upto)?)))
        };
        grouped.into_iter().map(shape).collect()
    }

    async fn wait_for_room(&self) -> Result<(), Problem> {
        let mut ends = self.flush_ends.subscribe();
        loop {
            ends.borrow_and_update();
            if !self.is_overfull().await {
                return Ok(());
            }
            self.wake.notify_one();
            if ends.changed().await.is_err() || !self.is_overfull().await {
                return Ok(());
            }
            if let Some(error) = self.status.lock().flush_error.clone() {
                let detail = format!("the tables cannot be written and memory is used up: {error}");
                return Err(Problem::new(ErrorClass::Unavailable, detail)
                    .hint("events are safe in the log; they become visible when the tables can be written")
                    .retry_after(self.settings.retry_after));
            }
        }
    }

    async fn is_overfull(&self) -> bool {
        let writer = self.writer.lock().await;
        let factor = self.settings.backlog_factor.max(1);
        writer.live_rows > self.settings.flush_rows.saturating_mul(factor)
            || writer.live_bytes > self.settings.flush_bytes.saturating_mul(factor)
    }
}

/// Returns the epoch, with the tables that now have their first rows.
fn with_tables(epoch: &Arc<Epoch>, shaped: &Shaped) -> Arc<Epoch> {
    let missing = |((workspace, name), _): &(&(Workspace, &'static str), _)| epoch.table(workspace, name).is_none();
    let mut missing = shaped.iter().filter(missing).peekable();
    if missing.peek().is_none() {
        return epoch.clone();
    }
    let mut with = Epoch::clone(epoch);
    for ((workspace, _), (spec, _)) in missing {
        with.put(workspace, TableState::empty(spec));
    }
    Arc::new(with)
}

//! The answer while it comes: batches, then the numbers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use partitura_event::{Position, Problem};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep_until};

use crate::columns::Parameter;
use crate::reads::Reads;
use crate::stop::Stop;

/// How long after its deadline a query that does not yield is given up by its reader.
pub(crate) const GRACE: Duration = Duration::from_millis(250);

/// Numbers of one query; complete when its stream has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SqlStats {
    /// Rows answered.
    pub rows: u64,
    /// Bytes of answered columns, uncompressed.
    pub bytes: u64,
    /// Whether rows were left out because of a limit.
    pub truncated: bool,
    /// Rows read from tables.
    pub rows_scanned: u64,
    /// Bytes read from tables, where the table tells.
    pub bytes_scanned: u64,
    /// Most memory that sorts, joins and aggregates held.
    pub memory_peak: u64,
    /// Bytes written to disk because of the memory limit.
    pub spilled_bytes: u64,
    /// Time until the plan was ready.
    pub planning_us: u64,
    /// Time from acceptance to the last row.
    pub elapsed_us: u64,
}

/// Shared between the running query and its reader.
#[derive(Clone, Debug, Default)]
pub struct StatsHandle(Arc<Mutex<SqlStats>>);

impl StatsHandle {
    /// Returns the numbers so far.
    pub fn get(&self) -> SqlStats {
        self.0.lock().clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut SqlStats)) {
        change(&mut self.0.lock());
    }
}

/// Stops the query when its reader goes away.
pub(crate) struct StopOnDrop {
    pub task: AbortHandle,
    pub stop: Arc<Stop>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.stop.leave();
        self.task.abort();
    }
}

/// The rows of one query. Dropping it cancels the query. After an error it ends.
pub struct SqlStream {
    schema: SchemaRef,
    parameters: Vec<Parameter>,
    position: Option<Position>,
    stats: StatsHandle,
    reads: Reads,
    batches: mpsc::Receiver<Result<RecordBatch, Problem>>,
    deadline: Pin<Box<Sleep>>,
    ended: bool,
    query: StopOnDrop,
}

impl SqlStream {
    pub(crate) fn new(
        (schema, parameters): (SchemaRef, Vec<Parameter>),
        position: Option<Position>,
        (stats, reads): (StatsHandle, Reads),
        batches: mpsc::Receiver<Result<RecordBatch, Problem>>,
        query: StopOnDrop,
    ) -> Self {
        let deadline = Box::pin(sleep_until(query.stop.deadline() + GRACE));
        Self { schema, parameters, position, stats, reads, batches, deadline, ended: false, query }
    }

    /// Returns the columns: plain types, no dictionaries and no views, times in UTC.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn into_columns(self) -> (SchemaRef, Vec<Parameter>) {
        (self.schema, self.parameters)
    }

    /// Returns the position at which the query is answered.
    pub const fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns the numbers, complete when the stream has ended.
    pub fn stats(&self) -> StatsHandle {
        self.stats.clone()
    }

    /// Returns the tables that it reads, complete when the stream has ended.
    pub fn reads(&self) -> Reads {
        self.reads.clone()
    }

    /// Reads all of it.
    pub async fn collect(mut self) -> Result<(Vec<RecordBatch>, SqlStats), Problem> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok((batches, self.stats.get()))
    }
}

impl Stream for SqlStream {
    type Item = Result<RecordBatch, Problem>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.batches.poll_recv(context) {
            Poll::Ready(item) => {
                self.ended = !matches!(item, Some(Ok(_)));
                Poll::Ready(item)
            }
            Poll::Pending => {
                if self.deadline.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.ended = true;
                Poll::Ready(Some(Err(self.query.stop.timed_out())))
            }
        }
    }
}

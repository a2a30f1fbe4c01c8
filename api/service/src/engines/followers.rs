//! `system.projections`: what follows the log, and how far.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use partitura_event::{Position, Problem, Workspace};
use partitura_projection::{Progress, Projector};
use partitura_query::system::describe;
use partitura_query::{SystemTable, TableDescription};
use partitura_table::TableStore;
use partitura_table::schema::parked::PARKED_EVENTS;

use super::ranking::Ranking;
use crate::system::{batch, of};

/// The table of them.
pub(super) struct Projections {
    pub projector: Projector,
    pub store: Arc<TableStore>,
    pub ranking: Arc<Ranking>,
}

/// What follows the log, for one workspace.
pub(super) struct Follower {
    pub name: &'static str,
    pub position: Option<Position>,
    pub durable: Option<Position>,
    pub lag_events: u64,
    pub lag: Option<Duration>,
    pub parked: Option<u64>,
    pub pending: Option<u64>,
    pub last_error: Option<&'static str>,
}

impl Projections {
    fn tables(&self, workspace: &Workspace, progress: &Progress) -> Follower {
        let parked = of(&self.store, workspace).into_iter().find(|table| table.table == PARKED_EVENTS.name);
        // What failed may quote an event of any workspace, so only that it failed is told.
        let folding = progress.last_error.as_ref().map(|_| "a projection is being retried; see the log");
        let writing = || self.store.status().flush_error.map(|_| "writing to files is being retried; see the log");
        Follower {
            name: "tables",
            position: progress.applied,
            durable: progress.durable,
            lag_events: progress.lag_events(),
            lag: Some(progress.lag),
            parked: Some(parked.map_or(0, |table| table.rows)),
            pending: None,
            last_error: folding.or_else(writing),
        }
    }
}

#[async_trait]
impl SystemTable for Projections {
    fn description(&self) -> TableDescription {
        describe(
            "projections",
            "One row for each follower of the log: the tables, the text index, the vectors of the model that is set.",
            &["name"],
            &[
                ("name", DataType::Utf8, false, "`tables`, `text_index` or `vectors`."),
                ("position", DataType::UInt64, true, "Last position that it shows; NULL for vectors while some wait."),
                ("durable_position", DataType::UInt64, true, "Last position that is in files."),
                ("head", DataType::UInt64, true, "Last position of the log."),
                ("lag_events", DataType::UInt64, false, "Events that wait for it."),
                (
                    "lag_seconds",
                    DataType::Float64,
                    true,
                    "Age of the newest visible event while events wait; of the tables only.",
                ),
                (
                    "parked",
                    DataType::UInt64,
                    true,
                    "Events of the workspace that were parked; `parked_events` has them.",
                ),
                ("pending", DataType::UInt64, true, "Versions of documents that wait for their vectors."),
                ("last_error", DataType::Utf8, true, "The failure that is being retried."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let progress = self.projector.progress();
        let mut followers = vec![self.tables(workspace, &progress)];
        followers.extend(self.ranking.followers(workspace)?);
        let numbers = |value: &dyn Fn(&Follower) -> Option<u64>| -> ArrayRef {
            Arc::new(followers.iter().map(value).collect::<UInt64Array>())
        };
        let lag = |follower: &Follower| follower.lag.map(|lag| lag.as_secs_f64());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(followers.iter().map(|follower| follower.name))),
            numbers(&|follower| follower.position.map(Position::get)),
            numbers(&|follower| follower.durable.map(Position::get)),
            numbers(&|_| progress.head.map(Position::get)),
            numbers(&|follower| Some(follower.lag_events)),
            Arc::new(followers.iter().map(lag).collect::<Float64Array>()),
            numbers(&|follower| follower.parked),
            numbers(&|follower| follower.pending),
            Arc::new(followers.iter().map(|follower| follower.last_error).collect::<StringArray>()),
        ];
        batch(&self.description(), columns)
    }
}

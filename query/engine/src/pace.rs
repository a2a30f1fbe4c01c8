//! Keeps a running plan polite: it gives way to other queries, and it ends soon after it has to.
//!
//! DataFusion gives way after a number of *batches*, and that bounds no time. A nested-loop join compares
//! each batch of one side with all rows of the other and may find nothing to hand on: a hundred batches
//! against a million rows are hours in one poll, deaf to the time limit and to being cancelled, on a
//! thread that other queries need. Here every source, and every operator that makes many rows of few, is
//! asked for the time before each batch; and what such a join compares at once is cut to a bounded size.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use tokio::time::Instant;

use crate::failure::external;
use crate::stop::Stop;

/// Longest time that a source hands on batches without giving way.
const TURN: Duration = Duration::from_millis(10);
/// Most pairs of rows that a nested-loop join compares between two looks at the time.
const NESTED_PAIRS: usize = 4 << 20;
/// The same for a hash join whose keys may all be equal and which may hand on nothing.
const HASHED_PAIRS: usize = 64 << 20;

/// Operators whose output may be much larger than what they read.
const MULTIPLYING: &[&str] = &[
    "CrossJoinExec",
    "NestedLoopJoinExec",
    "HashJoinExec",
    "SortMergeJoinExec",
    "PiecewiseMergeJoinExec",
    "RecursiveQueryExec",
    "UnnestExec",
];

/// Returns `plan` with its sources, joins and other multiplying operators watched.
pub(crate) fn paced(plan: Arc<dyn ExecutionPlan>, stop: &Arc<Stop>) -> Result<Arc<dyn ExecutionPlan>> {
    let watch = |node: Arc<dyn ExecutionPlan>| {
        let node = match pairs_at_once(node.as_ref()) {
            Some(pairs) => cut_probe(node, pairs, stop)?,
            None => node,
        };
        let watched = node.children().is_empty() || MULTIPLYING.contains(&node.name());
        Ok(if watched { Transformed::yes(PacedExec::over(node, Role::Passes, stop)) } else { Transformed::no(node) })
    };
    plan.transform_up(watch).map(|transformed| transformed.data)
}

/// Returns how many pairs a join may compare at once; `None` when it hands on what it finds.
fn pairs_at_once(node: &dyn ExecutionPlan) -> Option<usize> {
    if node.downcast_ref::<NestedLoopJoinExec>().is_some() {
        return Some(NESTED_PAIRS);
    }
    let join = node.downcast_ref::<HashJoinExec>()?;
    let hands_on = matches!(join.join_type(), JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full);
    (join.filter().is_some() || !hands_on).then_some(HASHED_PAIRS)
}

/// Counts the rows of the join's left side and cuts the batches of its right side accordingly.
fn cut_probe(join: Arc<dyn ExecutionPlan>, pairs: usize, stop: &Arc<Stop>) -> Result<Arc<dyn ExecutionPlan>> {
    let [left, right] = join.children()[..] else { return Ok(join) };
    let built = Arc::new(AtomicUsize::new(0));
    let left = PacedExec::over(Arc::clone(left), Role::Builds(Arc::clone(&built)), stop);
    let right = PacedExec::over(Arc::clone(right), Role::Probes { built, pairs }, stop);
    join.with_new_children(vec![left, right])
}

/// What the parent of a watched operator does with its rows.
#[derive(Clone, Debug)]
enum Role {
    /// Something else than comparing them.
    Passes,
    /// Collects them, as the left side of a join.
    Builds(Arc<AtomicUsize>),
    /// Compares each with all collected ones.
    Probes { built: Arc<AtomicUsize>, pairs: usize },
}

impl Role {
    /// Returns how many rows may be handed on at once.
    fn rows_at_once(&self) -> usize {
        match self {
            Self::Passes | Self::Builds(_) => usize::MAX,
            Self::Probes { built, pairs } => (pairs / built.load(Ordering::Relaxed).max(1)).max(1),
        }
    }
}

/// An operator that is watched.
#[derive(Debug)]
struct PacedExec {
    input: Arc<dyn ExecutionPlan>,
    role: Role,
    stop: Arc<Stop>,
}

impl PacedExec {
    fn over(input: Arc<dyn ExecutionPlan>, role: Role, stop: &Arc<Stop>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { input, role, stop: Arc::clone(stop) })
    }
}

impl DisplayAs for PacedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PacedExec")
    }
}

impl ExecutionPlan for PacedExec {
    fn name(&self) -> &'static str {
        "PacedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::over(children.swap_remove(0), self.role.clone(), &self.stop))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (role, stop) = (self.role.clone(), Arc::clone(&self.stop));
        Ok(Box::pin(Paced { input, role, stop, rest: None, turn_began: None }))
    }
}

/// The rows of a watched operator.
struct Paced {
    input: SendableRecordBatchStream,
    role: Role,
    stop: Arc<Stop>,
    /// What was cut off the last batch.
    rest: Option<RecordBatch>,
    /// Since when batches were handed on without giving way.
    turn_began: Option<Instant>,
}

impl Paced {
    fn hand_on(&mut self, batch: RecordBatch) -> RecordBatch {
        if let Role::Builds(built) = &self.role {
            built.fetch_add(batch.num_rows(), Ordering::Relaxed);
        }
        let most = self.role.rows_at_once();
        if batch.num_rows() <= most {
            return batch;
        }
        self.rest = Some(batch.slice(most, batch.num_rows() - most));
        batch.slice(0, most)
    }
}

impl Stream for Paced {
    type Item = Result<RecordBatch>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let now = Instant::now();
        if let Err(problem) = this.stop.check(now) {
            return Poll::Ready(Some(Err(external(problem))));
        }
        if now.duration_since(*this.turn_began.get_or_insert(now)) >= TURN {
            this.turn_began = None;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(rest) = this.rest.take() {
            return Poll::Ready(Some(Ok(this.hand_on(rest))));
        }
        match this.input.poll_next_unpin(context) {
            Poll::Ready(item) => Poll::Ready(item.map(|item| item.map(|batch| this.hand_on(batch)))),
            Poll::Pending => {
                this.turn_began = None;
                Poll::Pending
            }
        }
    }
}

impl RecordBatchStream for Paced {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

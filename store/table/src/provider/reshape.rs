//! [`ReshapeExec`]: leaves out closed rows (or all others), and gives rows the schema of the table.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, conjunction};
use datafusion::physical_expr_common::physical_expr::is_dynamic_physical_expr;
use datafusion::physical_plan::filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;

use super::late::{LateExec, Source};
use crate::lance_table::LanceTable;
use crate::row_id::{RowIdMap, RowIds};
use crate::schema::POS_TO;

/// Which rows to keep.
#[derive(Clone, Debug)]
pub(crate) enum Keep {
    /// All.
    All,
    /// Those that are not in the map.
    Open(Arc<RowIdMap<u64>>),
    /// Those that are in the map, which says where they were closed.
    Closed(Arc<RowIdMap<u64>>),
}

impl Keep {
    /// Keeps what is not closed.
    pub fn open(closed: Arc<RowIdMap<u64>>) -> Self {
        if closed.is_empty() { Self::All } else { Self::Open(closed) }
    }

    /// Keeps what is closed.
    pub fn closed(closed: Arc<RowIdMap<u64>>) -> Self {
        Self::Closed(closed)
    }

    /// Returns whether `_pos` and `_ord` must be read.
    pub fn needs_ids(&self) -> bool {
        !matches!(self, Self::All)
    }

    /// Returns the rows to keep, and `_pos_to` of these where it is known.
    pub fn apply(&self, batch: RecordBatch) -> Result<(RecordBatch, Option<ArrayRef>)> {
        match self {
            Self::All => Ok((batch, None)),
            Self::Open(closed) => {
                let ids = row_ids(&batch)?;
                let mask: BooleanArray = ids.iter().map(|id| Some(!closed.contains_key(&id))).collect();
                if mask.true_count() == batch.num_rows() {
                    return Ok((batch, None));
                }
                Ok((filter_record_batch(&batch, &mask)?, None))
            }
            Self::Closed(closed) => {
                let ids = row_ids(&batch)?;
                let ends: Vec<Option<u64>> = ids.iter().map(|id| closed.get(&id).copied()).collect();
                let mask: BooleanArray = ends.iter().map(|end| Some(end.is_some())).collect();
                let ends = UInt64Array::from_iter_values(ends.into_iter().flatten());
                Ok((filter_record_batch(&batch, &mask)?, Some(Arc::new(ends))))
            }
        }
    }
}

fn row_ids(batch: &RecordBatch) -> Result<RowIds> {
    RowIds::of(batch).map_err(|problem| DataFusionError::External(Box::new(problem)))
}

/// Brings the columns of a batch to those of `schema`, by name; casts where the type differs.
///
/// A nullable column that the batch lacks is null: closed versions keep no `_state`.
pub(crate) fn conform(batch: &RecordBatch, pos_to: Option<&ArrayRef>, schema: &SchemaRef) -> Result<RecordBatch> {
    let column = |field: &Arc<arrow::datatypes::Field>| {
        let known = pos_to.filter(|_| field.name() == POS_TO);
        match known.or_else(|| batch.column_by_name(field.name())) {
            Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
            Some(column) => Ok(cast(column, field.data_type())?),
            None if field.is_nullable() => Ok(new_null_array(field.data_type(), batch.num_rows())),
            None => Err(DataFusionError::Internal(format!("a scan has no column {}", field.name()))),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

/// The node of the plan.
#[derive(Debug)]
pub(crate) struct ReshapeExec {
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    keep: Keep,
    /// Whether all rows of the input's files come through, so that rows can be counted without reading.
    unfiltered: bool,
    /// Keeps the files from being cleaned up while the plan lives or runs.
    pin: Option<Arc<LanceTable>>,
    /// What the input reads, if that can be read in another way.
    source: Option<Arc<Source>>,
    properties: Arc<PlanProperties>,
}

impl ReshapeExec {
    pub fn new(input: Arc<dyn ExecutionPlan>, schema: SchemaRef, keep: Keep, unfiltered: bool) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, schema, keep, unfiltered, pin: None, source: None, properties: Arc::new(properties) }
    }

    /// Keeps the files of a table from being cleaned up as long as the plan lives or runs.
    pub fn pinning(mut self, table: &Arc<LanceTable>) -> Self {
        self.pin = Some(table.clone());
        self
    }

    /// Says what the input reads.
    pub fn reading(mut self, source: Source) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Reads only what `wanted` still asks for, if that is worth it.
    fn late(&self, wanted: Vec<Arc<dyn PhysicalExpr>>) -> Option<LateExec> {
        let source = self.source.as_ref().filter(|_| !matches!(self.keep, Keep::Closed(_)))?;
        let wanted: Vec<_> =
            wanted.into_iter().filter(|filter| is_dynamic_physical_expr(filter) && source.knows(filter)).collect();
        let wanted = (!wanted.is_empty()).then(|| conjunction(wanted))?;
        if !source.is_worth_it(&wanted, &self.schema) {
            return None;
        }
        Some(LateExec::new(source.clone(), self.schema.clone(), self.keep.clone(), wanted, &self.properties))
    }
}

impl DisplayAs for ReshapeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.keep {
            Keep::All => f.write_str("ReshapeExec")?,
            Keep::Open(closed) => write!(f, "ReshapeExec: without {} closed rows", closed.len())?,
            Keep::Closed(closed) => write!(f, "ReshapeExec: only {} closed rows", closed.len())?,
        }
        match &self.pin {
            Some(table) => write!(f, " of {} at {} [{}]", table.path(), table.version(), self.input.name()),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for ReshapeExec {
    fn name(&self) -> &'static str {
        "ReshapeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        // Lance has optimised its own plan; another optimiser must not touch it.
        if self.pin.is_some() { Vec::new() } else { vec![&self.input] }
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(Self::new(input, self.schema.clone(), self.keep.clone(), self.unfiltered))),
            None => Ok(self),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (keep, schema, pin) = (self.keep.clone(), self.schema.clone(), self.pin.clone());
        let stream = self.input.execute(partition, context)?.map(move |batch| {
            let _pinned = &pin;
            let (batch, pos_to) = keep.apply(batch?)?;
            conform(&batch, pos_to.as_ref(), &schema)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream)))
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        offered: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        if self.source.is_none() || phase != FilterPushdownPhase::Post {
            return Ok(FilterPushdownPropagation::if_all(offered));
        }
        let wanted: Vec<_> = offered.parent_filters.iter().map(|filter| filter.filter.clone()).collect();
        // Rows that are not wanted may come through all the same, so nobody is relieved of a filter.
        let answer = FilterPushdownPropagation::all_unsupported(offered);
        match self.late(wanted) {
            Some(late) => Ok(answer.with_updated_node(Arc::new(late))),
            None => Ok(answer),
        }
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let rows = self.input.partition_statistics(partition)?.num_rows;
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = match (&self.keep, partition) {
            (_, Some(_)) => rows.to_inexact(),
            (_, None) if !self.unfiltered => rows.to_inexact(),
            (Keep::All, None) => rows,
            (Keep::Open(closed), None) => match rows {
                Precision::Exact(rows) => Precision::Exact(rows.saturating_sub(closed.len())),
                other => other.to_inexact(),
            },
            (Keep::Closed(closed), None) => Precision::Exact(closed.len()),
        };
        Ok(Arc::new(statistics))
    }
}

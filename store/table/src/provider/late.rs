//! [`LateExec`]: reads only what the operator above still wants.
//!
//! A sort with a limit tells while it runs which rows cannot matter any more. This node asks
//! before each fragment, leaves out those whose bounds exclude them, and of the others reads the columns
//! that the question is about first, and whole rows only of what may matter: the ten latest of ten million
//! rows are in one or two fragments.

mod cursor;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use lance::table::format::Fragment;

use self::cursor::Cursor;
use super::reshape::Keep;
use crate::lance_table::LanceTable;
use crate::zones::zoned_columns;

/// What a scan of Lance reads, for one who reads it in another way.
#[derive(Debug)]
pub(crate) struct Source {
    pub table: Arc<LanceTable>,
    /// What rows must satisfy.
    pub filter: Option<Expr>,
    /// The fragments that may hold such rows, oldest first.
    pub fragments: Vec<Fragment>,
}

impl Source {
    /// Returns whether all columns of an expression lie in the files.
    pub fn knows(&self, expr: &Arc<dyn PhysicalExpr>) -> bool {
        let schema = self.table.dataset().schema();
        let columns = collect_columns(expr);
        !columns.is_empty() && columns.iter().all(|column| schema.field(column.name()).is_some())
    }

    /// Returns whether there is something to leave out: columns, or fragments of more than one column. A single
    /// column is read whole at once as fast, and what `max()` tells often does not come this far.
    pub fn is_worth_it(&self, wanted: &Arc<dyn PhysicalExpr>, read: &SchemaRef) -> bool {
        let (keys, columns) = (collect_columns(wanted).len(), read.fields().len());
        let schema = self.table.dataset().schema().into();
        columns > keys || columns > 1 && !zoned_columns(wanted, &schema).is_empty()
    }
}

/// The node of the plan.
#[derive(Debug)]
pub(crate) struct LateExec {
    source: Arc<Source>,
    keep: Keep,
    wanted: Arc<dyn PhysicalExpr>,
    properties: Arc<PlanProperties>,
}

impl LateExec {
    /// Reads what a scan with `properties` reads, as long as `wanted` does not exclude it.
    pub fn new(
        source: Arc<Source>,
        schema: SchemaRef,
        keep: Keep,
        wanted: Arc<dyn PhysicalExpr>,
        scan: &PlanProperties,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            scan.output_partitioning().clone(),
            scan.emission_type,
            scan.boundedness,
        );
        Self { source, keep, wanted, properties: Arc::new(properties) }
    }
}

impl DisplayAs for LateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, fragments) = (&self.source.table, self.source.fragments.len());
        write!(f, "LateExec: {} of {fragments} fragments of {} at {}", self.wanted, table.path(), table.version())
    }
}

impl ExecutionPlan for LateExec {
    fn name(&self) -> &'static str {
        "LateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions = self.properties.output_partitioning().partition_count().max(1);
        let newest_first = self.source.fragments.iter().rev().skip(partition).step_by(partitions);
        let left = newest_first.cloned().collect();
        let cursor =
            Cursor::new(self.source.clone(), self.schema(), self.keep.clone(), self.wanted.clone(), left, context);
        let stream = futures::stream::try_unfold(cursor, |mut cursor| async move {
            let batch = cursor.next().await?;
            Ok(batch.map(|batch| (batch, cursor)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}

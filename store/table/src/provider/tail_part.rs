//! The rows of a table that are in memory only.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;

use crate::provider::Part;
use crate::provider::reshape::{Keep, ReshapeExec, conform};
use crate::row_id::RowIds;
use crate::tail::{ClosedRows, Tail};

/// The tails of one table, for one reader.
pub(crate) struct TailPart<'a> {
    pub tails: &'a [Arc<Tail>],
    pub part: Part,
    pub end: u64,
    pub closed: &'a ClosedRows,
}

impl TailPart<'_> {
    /// Plans reading the columns of `schema` of the rows that satisfy all filters, if there are rows.
    pub fn scan(
        &self,
        session: &dyn Session,
        schema: &SchemaRef,
        table: &SchemaRef,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let wide = widen(schema, filters, |name| table.field_with_name(name).ok().cloned())?;
        let batches = self.batches(&wide)?;
        if batches.is_empty() {
            return Ok(None);
        }
        let rows = MemorySourceConfig::try_new_exec(&[batches], wide.clone(), None)?;
        let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(Some(rows)) };
        let predicate = session.create_physical_expr(filter, &DFSchema::try_from(wide)?)?;
        let filtered = Arc::new(FilterExec::try_new(predicate, rows)?);
        Ok(Some(Arc::new(ReshapeExec::new(filtered, schema.clone(), Keep::All, false))))
    }

    fn batches(&self, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for tail in self.tails {
            let chunks = tail.chunks(self.end).map_err(|problem| DataFusionError::External(Box::new(problem)))?;
            for chunk in chunks {
                let (rows, pos_to) = self.select(&chunk)?;
                if rows.num_rows() > 0 {
                    batches.push(conform(&rows, pos_to.as_ref(), schema)?);
                }
            }
        }
        Ok(batches)
    }

    /// Returns the rows of the part, and where they were closed if they were.
    fn select(&self, chunk: &RecordBatch) -> Result<(RecordBatch, Option<ArrayRef>)> {
        let ids = RowIds::of(chunk).map_err(|problem| DataFusionError::External(Box::new(problem)))?;
        let ends: Vec<Option<u64>> = ids.iter().map(|id| self.closed.closed_at(id)).collect();
        let wanted = |end: &Option<u64>| end.is_some() == (self.part == Part::Closed);
        if ends.iter().all(Option::is_none) && self.part == Part::Rows {
            return Ok((chunk.clone(), None));
        }
        let mask: BooleanArray = ends.iter().map(|end| Some(wanted(end))).collect();
        let rows = filter_record_batch(chunk, &mask)?;
        let pos_to = UInt64Array::from_iter_values(ends.into_iter().flatten());
        Ok((rows, (self.part == Part::Closed).then(|| Arc::new(pos_to) as ArrayRef)))
    }
}

/// Returns `schema` and, behind it, the columns that only the filters use.
pub(crate) fn widen(schema: &SchemaRef, filters: &[Expr], find: impl Fn(&str) -> Option<Field>) -> Result<SchemaRef> {
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    for column in filters.iter().flat_map(Expr::column_refs) {
        if fields.iter().any(|field| *field.name() == column.name) {
            continue;
        }
        let field = find(&column.name);
        let missing = || DataFusionError::Internal(format!("a filter uses the unknown column {}", column.name));
        fields.push(Arc::new(field.ok_or_else(missing)?));
    }
    Ok(Arc::new(Schema::new(fields)))
}

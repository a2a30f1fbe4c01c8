//! [`SnapshotTable`]: one table at one position, as DataFusion reads it.
//!
//! Rows are a union of what lies in Lance and what is in the hot tail:
//!
//! ```text
//! t          = current(Lance) − closed  ∪  tail − closed      (∪ history, for a position before the checkpoint)
//! t_history  = history(Lance)  ∪  closed of current(Lance)  ∪  closed of the tail
//! ```
//!
//! where `closed` are the versions that were closed after the checkpoint and at or before the
//! reader's position.

pub(crate) mod filter;
pub(crate) mod lance_part;
pub(crate) mod late;
pub(crate) mod reshape;
pub(crate) mod tail_part;

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;

use crate::epoch::TableState;
use crate::schema::{POS, POS_TO};
use crate::tail::ClosedRows;

use self::lance_part::LancePart;
use self::reshape::Keep;
use self::tail_part::TailPart;

/// Which rows of a keyed table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Those that were current at the reader's position.
    Rows,
    /// Those that were closed by then.
    Closed,
}

/// Which columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Those of SQL.
    Public,
    /// All, for search and projections.
    Internal,
}

/// One table at one position.
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    state: Arc<TableState>,
    part: Part,
    schema: SchemaRef,
    /// Position of the reader, 0 before the first event.
    end: u64,
    /// Position up to which rows are in Lance.
    checkpoint: u64,
    closed: ClosedRows,
}

impl SnapshotTable {
    pub fn new(state: Arc<TableState>, part: Part, visibility: Visibility, end: u64, checkpoint: u64) -> Self {
        let schema = match (visibility, part) {
            (Visibility::Public, Part::Rows) => state.spec.public_schema(),
            (Visibility::Public, Part::Closed) => state.spec.public_history_schema(),
            (Visibility::Internal, Part::Rows) => state.spec.stored_schema(),
            (Visibility::Internal, Part::Closed) => state.spec.stored_history_schema(),
        };
        let closed = state.closed(end);
        Self { state, part, schema, end, checkpoint, closed }
    }

    /// Returns whether the reader stands before what is in Lance.
    fn looks_back(&self) -> bool {
        self.end < self.checkpoint
    }

    /// Returns the parts that lie in Lance, each with the rows of it that belong to the answer.
    fn lance_parts(&self) -> Vec<LancePart<'_>> {
        let in_lance = |row: crate::row_id::RowId| row.pos() <= self.checkpoint;
        let closed = || Arc::new(self.closed.list(in_lance).into_iter().collect());
        let until = |column: &str| self.looks_back().then(|| col(column).lt_eq(lit(self.end)));
        let mut parts = Vec::new();
        if let Some(current) = &self.state.current {
            match self.part {
                Part::Rows => parts.push(LancePart::new(current, until(POS), Keep::open(closed()))),
                Part::Closed => parts.push(LancePart::new(current, None, Keep::closed(closed()))),
            }
        }
        let Some(history) = &self.state.history else { return parts };
        match self.part {
            Part::Rows if self.looks_back() => {
                let then = col(POS).lt_eq(lit(self.end)).and(col(POS_TO).gt(lit(self.end)));
                parts.push(LancePart::new(history, Some(then), Keep::All));
            }
            Part::Rows => {}
            Part::Closed => parts.push(LancePart::new(history, until(POS_TO), Keep::All)),
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match filter::is_pushable(filter, &self.schema) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => self.schema.clone(),
        };
        let mut inputs = Vec::new();
        for part in self.lance_parts() {
            inputs.push(part.scan(session, &schema, filters, limit).await?);
        }
        let tail = TailPart { tails: &self.state.tails, part: self.part, end: self.end, closed: &self.closed };
        inputs.extend(tail.scan(session, &schema, &self.schema, filters)?);
        if inputs.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        UnionExec::try_new(inputs)
    }
}

/// Returns the names of the columns of a schema.
pub(crate) fn names(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}

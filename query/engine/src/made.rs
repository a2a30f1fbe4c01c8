//! Tables whose rows are made when they are read: the engine's own state, hits of a search, key figures.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// What makes the rows of a table.
#[async_trait]
pub(crate) trait Rows: Send + Sync + 'static {
    /// Returns the columns, the same each time.
    fn schema(&self) -> SchemaRef;

    /// Makes all rows, or the first `limit` where only they are read. Asked once for each scan.
    async fn rows(&self, limit: Option<usize>) -> Result<RecordBatch>;
}

/// The table over them.
pub(crate) struct Made<R>(pub R);

impl<R> fmt::Debug for Made<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

#[async_trait]
impl<R: Rows> TableProvider for Made<R> {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.0.rows(limit).await?;
        MemTable::try_new(self.0.schema(), vec![vec![rows]])?.scan(state, projection, filters, limit).await
    }
}

//! Where rows come from: a server far away, or the service in this process.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;
use partitura_event::Problem;

/// Answers questions at one position.
#[async_trait]
pub trait Source: Send + Sync {
    /// Returns what there is, and the position at which it can be read.
    async fn catalog(&self) -> Result<Catalog, Problem>;

    /// Returns all rows of a query as of a position, in its order.
    async fn rows(&self, sql: &str, as_of: Option<u64>) -> Result<Rows, Problem>;
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Position that tables show; 0 before the first event.
    pub position: u64,
    /// Tables and views.
    pub tables: Vec<Table>,
}

/// One table or view.
#[derive(Clone, Debug)]
pub struct Table {
    /// Name in SQL.
    pub name: String,
    /// Whether it holds what was recorded, and is not computed of others.
    pub stored: bool,
    /// The column of positions, where rows stay as they are: what is new is above the last one.
    pub appended_by: Option<String>,
    /// Columns that name a row.
    pub key: Vec<String>,
}

/// The rows of one query. After an error they end.
pub struct Rows {
    /// Their columns.
    pub schema: SchemaRef,
    /// Batches, in order.
    pub batches: BoxStream<'static, Result<RecordBatch, Problem>>,
}

impl Table {
    /// Makes one of what `/v1/tables` says of it.
    pub fn new(name: &str, stored: bool, appended: bool, key: Vec<String>) -> Self {
        // A closed version is new at the position that closed it.
        let column = if name.ends_with("_history") { "_pos_to" } else { "_pos" };
        Self { name: name.to_owned(), stored, appended_by: appended.then(|| column.to_owned()), key }
    }
}

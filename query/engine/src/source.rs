//! Where the engine gets tables: a store that publishes immutable snapshots.
//!
//! Two implementations run the engine's tests: the table store, and tables in memory.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use partitura_event::{Position, Workspace};
use serde::Serialize;

/// A store of tables.
pub trait Tables: Send + Sync + 'static {
    /// Returns the newest snapshot. It stays as it is while it is held.
    fn pin(&self) -> Arc<dyn Pinned>;

    /// Describes every table that a workspace has, whether or not it holds rows yet.
    fn descriptions(&self) -> Vec<TableDescription>;
}

/// All tables of all workspaces at one position.
pub trait Pinned: Send + Sync {
    /// Returns the position of the last event that is in it.
    fn position(&self) -> Option<Position>;

    /// Returns a table of `workspace`, or `None` when the workspace has no row in it yet. With `as_of`
    /// its rows are those that were valid at that position, which is not after [`Pinned::position`].
    fn table(&self, workspace: &Workspace, name: &str, as_of: Option<Position>) -> Option<Arc<dyn TableProvider>>;

    /// Returns whether the workspace has or had a row in the table.
    fn has_rows(&self, workspace: &Workspace, name: &str) -> bool;

    /// Returns the table with its hidden columns, which views of ours read.
    fn stored(&self, workspace: &Workspace, name: &str, as_of: Option<Position>) -> Option<Arc<dyn TableProvider>>;
}

/// What a table is, for people: shown by `GET /v1/tables/{name}` and in the reference.
#[derive(Clone, Debug, Serialize)]
pub struct TableDescription {
    /// Name in SQL.
    pub name: String,
    /// `table`, `view` or `system`.
    pub kind: &'static str,
    /// "One row per …".
    pub grain: String,
    /// Columns that name one row.
    pub key: Vec<String>,
    /// What becomes of rows that are there.
    pub changes: Changes,
    /// Whether the store keeps the key unique (ids without regard to case).
    #[serde(skip)]
    pub unique: bool,
    /// Joins that do not multiply rows: `task_id → tasks.task_id`.
    pub joins: Vec<String>,
    /// Columns in order.
    pub columns: Vec<ColumnDescription>,
    /// Arrow schema of the shown columns.
    #[serde(skip)]
    pub schema: SchemaRef,
    /// Arrow schema of all columns.
    #[serde(skip)]
    pub stored_schema: SchemaRef,
}

/// What becomes of the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Changes {
    /// They stay as they are, and others come.
    Appended,
    /// They follow what is known: a task has one row, which changes.
    Replaced,
    /// They are computed of other tables when they are read.
    Computed,
    /// They are of the moment, at no position.
    Live,
}

/// What a column means.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnDescription {
    /// Name in SQL.
    pub name: String,
    /// SQL-like type name.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Meaning, with the unit.
    pub doc: String,
}

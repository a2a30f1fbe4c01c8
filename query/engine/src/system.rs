//! `system.*`: the engine about itself. The service registers what it knows; the engine adds its own.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, BooleanArray, StringArray, TimestampMicrosecondArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::Result;
use partitura_event::{Problem, Workspace};

use crate::failure::external;
use crate::made::Rows;
use crate::running::Running;
use crate::source::{Changes, ColumnDescription, TableDescription};

/// A table whose rows are computed when it is read. It shows a workspace only what is its own.
#[async_trait]
pub trait SystemTable: Send + Sync + 'static {
    /// Returns what it is; the name without `system.`.
    fn description(&self) -> TableDescription;

    /// Returns its rows now, as `workspace` may see them, in the schema of the description.
    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem>;
}

/// Describes a system table from `(column, type, nullable, meaning)`.
pub fn describe(name: &str, grain: &str, key: &[&str], columns: &[(&str, DataType, bool, &str)]) -> TableDescription {
    let fields: Vec<Field> =
        columns.iter().map(|(name, ty, nullable, _)| Field::new(*name, ty.clone(), *nullable)).collect();
    let schema = Arc::new(Schema::new(fields));
    TableDescription {
        name: name.to_owned(),
        kind: "system",
        grain: grain.to_owned(),
        key: key.iter().map(|&column| column.to_owned()).collect(),
        changes: Changes::Live,
        unique: false,
        joins: Vec::new(),
        columns: columns
            .iter()
            .map(|(name, ty, nullable, doc)| ColumnDescription {
                name: (*name).to_owned(),
                ty: crate::describe::type_name(ty),
                nullable: *nullable,
                doc: (*doc).to_owned(),
            })
            .collect(),
        schema: schema.clone(),
        stored_schema: schema,
    }
}

/// Type of the time columns of system tables: microseconds in UTC.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(crate) struct SystemRows {
    table: Arc<dyn SystemTable>,
    workspace: Workspace,
    schema: SchemaRef,
}

impl SystemRows {
    pub fn new(table: Arc<dyn SystemTable>, workspace: Workspace) -> Self {
        let schema = table.description().schema;
        Self { table, workspace, schema }
    }
}

#[async_trait]
impl Rows for SystemRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    async fn rows(&self, _limit: Option<usize>) -> Result<RecordBatch> {
        self.table.rows(&self.workspace).await.map_err(external)
    }
}

/// `system.queries`: what runs now.
pub(crate) struct QueriesTable(pub Running);

#[async_trait]
impl SystemTable for QueriesTable {
    fn description(&self) -> TableDescription {
        describe(
            "queries",
            "One row per SQL query of the workspace that runs now, this one included.",
            &["query_id"],
            &[
                ("query_id", DataType::Utf8, false, "Name to cancel it by."),
                ("sql", DataType::Utf8, false, "Its text, the first 1,000 characters."),
                ("started_at", time_type(), false, "When it was accepted."),
                ("position", DataType::UInt64, true, "Position at which it is answered."),
                ("rows", DataType::UInt64, false, "Rows answered so far."),
                ("bytes", DataType::UInt64, false, "Bytes answered so far, uncompressed."),
                ("truncated", DataType::Boolean, false, "Whether it hit its limit of rows or bytes."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let list = self.0.list(workspace);
        let stats: Vec<_> = list.iter().map(|query| query.stats.get()).collect();
        let started = TimestampMicrosecondArray::from_iter_values(list.iter().map(|query| query.started_at.micros()));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(list.iter().map(|query| &query.query_id))),
            Arc::new(StringArray::from_iter_values(list.iter().map(|query| &query.sql))),
            Arc::new(started.with_timezone("UTC")),
            Arc::new(list.iter().map(|query| query.position.map(|p| p.get())).collect::<UInt64Array>()),
            Arc::new(UInt64Array::from_iter_values(stats.iter().map(|s| s.rows))),
            Arc::new(UInt64Array::from_iter_values(stats.iter().map(|s| s.bytes))),
            Arc::new(stats.iter().map(|s| Some(s.truncated)).collect::<BooleanArray>()),
        ];
        RecordBatch::try_new(self.description().schema, columns)
            .map_err(|error| Problem::new(partitura_event::ErrorClass::Internal, error.to_string()))
    }
}

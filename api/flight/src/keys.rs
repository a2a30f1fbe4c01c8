//! Primary keys, and the joins that do not multiply rows, which clients know as foreign keys.
//!
//! Nothing here is a constraint that somebody checks: a key names one row because the fold makes it so, and an event
//! may name what no other event has told of.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetPrimaryKeys, UpdateDeleteRules,
};
use partitura_event::Problem;
use partitura_service::{Service, TableDescription};

use crate::answer::unwritable;
use crate::catalog::{CATALOG, PUBLIC, place};

/// A table as a command names it; empty catalog and schema are any.
struct Named<'a> {
    catalog: Option<&'a str>,
    schema: Option<&'a str>,
    table: &'a str,
}

impl Named<'_> {
    fn is(&self, schema: &str, table: &str) -> bool {
        let fits = |given: Option<&str>, own: &str| given.is_none_or(|given| given.is_empty() || given == own);
        fits(self.catalog, CATALOG) && fits(self.schema, schema) && self.table == table
    }
}

/// Answers `CommandGetPrimaryKeys`.
pub async fn primary(service: &Service, command: &CommandGetPrimaryKeys) -> Result<RecordBatch, Problem> {
    let wanted =
        Named { catalog: command.catalog.as_deref(), schema: command.db_schema.as_deref(), table: &command.table };
    let tables = service.tables().await?;
    let found = tables.iter().find(|table| {
        let (schema, name) = place(table);
        wanted.is(schema, name)
    });
    let key: &[String] = found.map_or(&[], |table| &table.key);
    let (schema, name) = found.map_or((PUBLIC, ""), place);
    let of_all = |text: &str| Arc::new(StringArray::from_iter_values(key.iter().map(|_| text))) as ArrayRef;
    let columns = vec![
        of_all(CATALOG),
        of_all(schema),
        of_all(name),
        Arc::new(StringArray::from_iter_values(key)) as ArrayRef,
        of_all(&format!("{name}_key")),
        numbers(1..=key.len()),
    ];
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    let schema = Schema::new(vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("column_name", false),
        text("key_name", true),
        Field::new("key_sequence", DataType::Int32, false),
    ]);
    RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| unwritable(&error))
}

/// Answers `CommandGetExportedKeys`: who refers to the table.
pub async fn exported(service: &Service, command: &CommandGetExportedKeys) -> Result<RecordBatch, Problem> {
    let wanted =
        Named { catalog: command.catalog.as_deref(), schema: command.db_schema.as_deref(), table: &command.table };
    references(service, |reference| wanted.is(PUBLIC, &reference.to)).await
}

/// Answers `CommandGetImportedKeys`: what the table refers to.
pub async fn imported(service: &Service, command: &CommandGetImportedKeys) -> Result<RecordBatch, Problem> {
    let wanted =
        Named { catalog: command.catalog.as_deref(), schema: command.db_schema.as_deref(), table: &command.table };
    references(service, |reference| wanted.is(PUBLIC, &reference.from)).await
}

/// Answers `CommandGetCrossReference`: how one table refers to another.
pub async fn cross(service: &Service, command: &CommandGetCrossReference) -> Result<RecordBatch, Problem> {
    let to = Named {
        catalog: command.pk_catalog.as_deref(),
        schema: command.pk_db_schema.as_deref(),
        table: &command.pk_table,
    };
    let from = Named {
        catalog: command.fk_catalog.as_deref(),
        schema: command.fk_db_schema.as_deref(),
        table: &command.fk_table,
    };
    references(service, |reference| to.is(PUBLIC, &reference.to) && from.is(PUBLIC, &reference.from)).await
}

/// One column of a join.
struct Reference {
    from: String,
    from_column: String,
    to: String,
    to_column: String,
    sequence: usize,
    name: String,
}

async fn references(service: &Service, wanted: impl Fn(&Reference) -> bool) -> Result<RecordBatch, Problem> {
    let tables = service.tables().await?;
    let mut found: Vec<Reference> = tables.iter().flat_map(joins).filter(wanted).collect();
    found.sort_by(|a, b| (&a.to, &a.from, &a.name, a.sequence).cmp(&(&b.to, &b.from, &b.name, b.sequence)));
    let text = |value: &dyn Fn(&Reference) -> String| {
        Arc::new(StringArray::from_iter_values(found.iter().map(value))) as ArrayRef
    };
    let rule = || {
        let none = UpdateDeleteRules::NoAction as u8;
        Arc::new(UInt8Array::from_iter_values(found.iter().map(|_| none))) as ArrayRef
    };
    let columns = vec![
        text(&|_| CATALOG.to_owned()),
        text(&|_| PUBLIC.to_owned()),
        text(&|reference| reference.to.clone()),
        text(&|reference| reference.to_column.clone()),
        text(&|_| CATALOG.to_owned()),
        text(&|_| PUBLIC.to_owned()),
        text(&|reference| reference.from.clone()),
        text(&|reference| reference.from_column.clone()),
        numbers(found.iter().map(|reference| reference.sequence)),
        text(&|reference| reference.name.clone()),
        text(&|reference| format!("{}_key", reference.to)),
        rule(),
        rule(),
    ];
    RecordBatch::try_new(Arc::new(reference_schema()), columns).map_err(|error| unwritable(&error))
}

fn reference_schema() -> Schema {
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    let rule = |name: &str| Field::new(name, DataType::UInt8, false);
    Schema::new(vec![
        text("pk_catalog_name", true),
        text("pk_db_schema_name", true),
        text("pk_table_name", false),
        text("pk_column_name", false),
        text("fk_catalog_name", true),
        text("fk_db_schema_name", true),
        text("fk_table_name", false),
        text("fk_column_name", false),
        Field::new("key_sequence", DataType::Int32, false),
        text("fk_key_name", true),
        text("pk_key_name", true),
        rule("update_rule"),
        rule("delete_rule"),
    ])
}

/// Reads the joins of a description: `task_id → tasks.task_id`, or several columns with commas.
fn joins(table: &TableDescription) -> Vec<Reference> {
    let mut references = Vec::new();
    for join in &table.joins {
        let Some((columns, target)) = join.split_once(" → ") else { continue };
        // A note after the column or an expression is a join, but no reference to a key.
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ' '));
        let Some((to, to_columns)) = target.split_once('.').filter(|(to, columns)| plain(to) && plain(columns)) else {
            continue;
        };
        let pairs = columns.split(", ").zip(to_columns.split(", "));
        references.extend(pairs.enumerate().map(|(n, (column, to_column))| Reference {
            from: table.name.clone(),
            from_column: column.to_owned(),
            to: to.to_owned(),
            to_column: to_column.to_owned(),
            sequence: n + 1,
            name: format!("{}_{}", table.name, columns.replace(", ", "_")),
        }));
    }
    references
}

fn numbers(values: impl Iterator<Item = usize>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values.map(|value| i32::try_from(value).unwrap_or(i32::MAX))))
}

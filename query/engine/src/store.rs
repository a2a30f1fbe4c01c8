//! The table store as the engine sees it.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use partitura_event::{Position, Workspace};
use partitura_table::schema::{HISTORY_SUFFIX, POS, POS_TO};
use partitura_table::{Shape, Snapshot, TableSpec, TableStore};

use crate::describe::type_name;
use crate::source::{Changes, ColumnDescription, Pinned, TableDescription, Tables};

impl Tables for TableStore {
    fn pin(&self) -> Arc<dyn Pinned> {
        self.snapshot()
    }

    fn descriptions(&self) -> Vec<TableDescription> {
        self.specs().iter().flat_map(|spec| describe_spec(spec)).collect()
    }
}

impl Pinned for Snapshot {
    fn position(&self) -> Option<Position> {
        Self::position(self)
    }

    fn table(&self, workspace: &Workspace, name: &str, as_of: Option<Position>) -> Option<Arc<dyn TableProvider>> {
        Self::table(self, workspace, name, as_of)
    }

    fn has_rows(&self, workspace: &Workspace, name: &str) -> bool {
        Self::has_rows(self, workspace, name)
    }

    fn stored(&self, workspace: &Workspace, name: &str, as_of: Option<Position>) -> Option<Arc<dyn TableProvider>> {
        self.table_internal(workspace, name, as_of)
    }
}

/// Describes a base table and, for a keyed one, the table of its closed versions.
pub(crate) fn describe_spec(spec: &TableSpec) -> Vec<TableDescription> {
    let key = spec.key.iter().map(|&column| column.to_owned()).collect::<Vec<_>>();
    let joins: Vec<String> = spec
        .joins
        .iter()
        .map(|join| format!("{} → {}.{}", join.columns.join(", "), join.table, join.to.join(", ")))
        .collect();
    let keyed = spec.shape == Shape::Keyed;
    let mut described = vec![TableDescription {
        name: spec.name.to_owned(),
        kind: "table",
        grain: spec.grain.to_owned(),
        key: key.clone(),
        changes: if keyed { Changes::Replaced } else { Changes::Appended },
        unique: keyed,
        joins: joins.clone(),
        columns: columns(spec, &spec.public_schema()),
        schema: spec.public_schema(),
        stored_schema: spec.stored_schema(),
    }];
    if keyed {
        described.push(TableDescription {
            name: format!("{}{HISTORY_SUFFIX}", spec.name),
            kind: "table",
            grain: format!("One row per closed version of a row of `{}`.", spec.name),
            key: key.into_iter().chain([POS.to_owned()]).collect(),
            changes: Changes::Appended,
            unique: false,
            joins,
            columns: columns(spec, &spec.public_history_schema()),
            schema: spec.public_history_schema(),
            stored_schema: spec.stored_history_schema(),
        });
    }
    described
}

fn columns(spec: &TableSpec, schema: &SchemaRef) -> Vec<ColumnDescription> {
    let doc = |name: &str| match name {
        POS => "Position of the event that made the row what it is.".to_owned(),
        POS_TO => "First position at which the row was another.".to_owned(),
        name => spec.columns.iter().find(|column| column.name == name).map_or_else(String::new, |c| c.doc.to_owned()),
    };
    schema
        .fields()
        .iter()
        .map(|field| ColumnDescription {
            name: field.name().clone(),
            ty: type_name(field.data_type()),
            nullable: field.is_nullable(),
            doc: doc(field.name()),
        })
        .collect()
}

//! The tables of `information_schema` as Postgres has them: its type names, positions from 1, keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::catalog::TableProvider;
use datafusion::error::Result;

use super::listing::{INFORMATION, Listing, PG_CATALOG};
use super::{rows, types};
use crate::scope::{CATALOG, PUBLIC, SYSTEM};
use crate::source::TableDescription;

type Tables = BTreeMap<&'static str, Arc<dyn TableProvider>>;
/// Schema, name and description of a table.
type Listed<'a> = (&'static str, &'a str, &'a TableDescription);

/// Makes all of them.
pub(super) fn tables(listing: &Listing) -> Result<Tables> {
    let listed: Vec<Listed<'_>> = listing.tables().collect();
    let keyed: Vec<Listed<'_>> = listed.iter().filter(|(_, _, table)| !table.key.is_empty()).copied().collect();
    Ok(BTreeMap::from([
        ("schemata", schemata()?),
        ("tables", all_tables(&listed)?),
        ("views", views(&listed)?),
        ("columns", columns(&listed)?),
        ("table_constraints", constraints(&keyed)?),
        ("key_column_usage", key_columns(&keyed)?),
        ("constraint_column_usage", constrained_columns(&keyed)?),
        (
            "referential_constraints",
            without_rows(&["constraint_name", "unique_constraint_name", "update_rule", "delete_rule"])?,
        ),
        ("routines", without_rows(&["specific_name", "routine_name", "routine_type", "data_type"])?),
        ("parameters", without_rows(&["specific_name", "parameter_name", "parameter_mode", "data_type"])?),
    ]))
}

fn same(text: &'static str, count: usize) -> ArrayRef {
    rows::text(std::iter::repeat_n(text, count))
}

fn none(count: usize) -> ArrayRef {
    rows::text_or_null(std::iter::repeat_n(None::<&str>, count))
}

fn schemata() -> Result<Arc<dyn TableProvider>> {
    let names = [PUBLIC, SYSTEM, PG_CATALOG, INFORMATION];
    rows::table(vec![
        ("catalog_name", same(CATALOG, names.len())),
        ("schema_name", rows::text(names)),
        ("schema_owner", same(CATALOG, names.len())),
        ("default_character_set_name", none(names.len())),
    ])
}

/// Columns that name a table, of which each row has one.
fn place<'a>(listed: &[Listed<'a>], names: [&'static str; 3]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        (names[0], same(CATALOG, listed.len())),
        (names[1], rows::text(listed.iter().map(|(schema, ..)| *schema))),
        (names[2], rows::text(listed.iter().map(|(_, name, _)| *name))),
    ]
}

const TABLE: [&str; 3] = ["table_catalog", "table_schema", "table_name"];
const CONSTRAINT: [&str; 3] = ["constraint_catalog", "constraint_schema", "constraint_name"];

fn all_tables(listed: &[Listed<'_>]) -> Result<Arc<dyn TableProvider>> {
    let kind = |table: &TableDescription| if table.kind == "view" { "VIEW" } else { "BASE TABLE" };
    let mut columns = place(listed, TABLE);
    columns.extend([
        ("table_type", rows::text(listed.iter().map(|(_, _, table)| kind(table)))),
        ("is_insertable_into", same("NO", listed.len())),
        ("is_typed", same("NO", listed.len())),
        ("commit_action", none(listed.len())),
    ]);
    rows::table(columns)
}

fn views(listed: &[Listed<'_>]) -> Result<Arc<dyn TableProvider>> {
    let views: Vec<_> = listed.iter().filter(|(_, _, table)| table.kind == "view").copied().collect();
    let mut columns = place(&views, TABLE);
    columns.extend([
        ("view_definition", none(views.len())),
        ("check_option", same("NONE", views.len())),
        ("is_updatable", same("NO", views.len())),
        ("is_insertable_into", same("NO", views.len())),
    ]);
    rows::table(columns)
}

fn columns(listed: &[Listed<'_>]) -> Result<Arc<dyn TableProvider>> {
    let mut placed: Vec<Listed<'_>> = Vec::new();
    let mut fields: Vec<(i32, &Field)> = Vec::new();
    for (schema, name, table) in listed {
        for (number, field) in (1..).zip(table.schema.fields()) {
            placed.push((schema, name, table));
            fields.push((number, field.as_ref()));
        }
    }
    let count = fields.len();
    let types: Vec<_> = fields.iter().map(|(_, field)| types::of(field)).collect();
    let mut columns = place(&placed, TABLE);
    columns.extend([
        ("column_name", rows::text(fields.iter().map(|(_, field)| field.name().as_str()))),
        ("ordinal_position", rows::int(fields.iter().map(|(number, _)| *number))),
        ("column_default", none(count)),
        ("is_nullable", rows::text(fields.iter().map(|(_, field)| if field.is_nullable() { "YES" } else { "NO" }))),
        ("data_type", rows::text(types.iter().map(|ty| ty.sql))),
        ("character_maximum_length", rows::int_or_null(std::iter::repeat_n(None, count))),
        ("numeric_precision", rows::int_or_null(fields.iter().map(|(_, field)| precision(field)))),
        ("numeric_scale", rows::int_or_null(fields.iter().map(|(_, field)| scale(field)))),
        ("datetime_precision", rows::int_or_null(types.iter().map(|ty| ty.sql.starts_with("time").then_some(6)))),
        ("udt_catalog", same(CATALOG, count)),
        ("udt_schema", same(PG_CATALOG, count)),
        ("udt_name", rows::text(types.iter().map(|ty| ty.name))),
        ("is_identity", same("NO", count)),
        ("identity_generation", none(count)),
        ("is_generated", same("NEVER", count)),
        ("generation_expression", none(count)),
        ("is_updatable", same("NO", count)),
    ]);
    rows::table(columns)
}

fn precision(field: &Field) -> Option<i32> {
    match (types::of(field).name, field.data_type()) {
        (_, DataType::Decimal128(precision, _)) => Some(i32::from(*precision)),
        ("int2", _) => Some(16),
        ("int4", _) => Some(32),
        ("int8", _) => Some(64),
        ("float4", _) => Some(24),
        ("float8", _) => Some(53),
        _ => None,
    }
}

fn scale(field: &Field) -> Option<i32> {
    match (types::of(field).name, field.data_type()) {
        (_, DataType::Decimal128(_, scale)) => Some(i32::from(*scale)),
        ("int2" | "int4" | "int8", _) => Some(0),
        _ => None,
    }
}

/// A table's key is one because the fold makes it so; nobody checks it.
fn constraints(keyed: &[Listed<'_>]) -> Result<Arc<dyn TableProvider>> {
    let mut columns = named(keyed);
    columns.extend(place(keyed, TABLE));
    columns.extend([
        ("constraint_type", same("PRIMARY KEY", keyed.len())),
        ("is_deferrable", same("NO", keyed.len())),
        ("initially_deferred", same("NO", keyed.len())),
        ("enforced", same("NO", keyed.len())),
    ]);
    rows::table(columns)
}

fn key_columns(keyed: &[Listed<'_>]) -> Result<Arc<dyn TableProvider>> {
    let (placed, parts) = parts(keyed);
    let mut columns = named(&placed);
    columns.extend(place(&placed, TABLE));
    columns.extend([
        ("column_name", rows::text(parts.iter().map(|(_, column)| *column))),
        ("ordinal_position", rows::int(parts.iter().map(|(number, _)| *number))),
        ("position_in_unique_constraint", rows::int_or_null(parts.iter().map(|_| None))),
    ]);
    rows::table(columns)
}

fn constrained_columns(keyed: &[Listed<'_>]) -> Result<Arc<dyn TableProvider>> {
    let (placed, parts) = parts(keyed);
    let mut columns = place(&placed, TABLE);
    columns.push(("column_name", rows::text(parts.iter().map(|(_, column)| *column))));
    columns.extend(named(&placed));
    rows::table(columns)
}

/// One row for each column of each key.
fn parts<'a>(keyed: &[Listed<'a>]) -> (Vec<Listed<'a>>, Vec<(i32, &'a str)>) {
    let each = keyed
        .iter()
        .flat_map(|listed| (1..).zip(&listed.2.key).map(|(number, column)| (*listed, (number, column.as_str()))));
    each.unzip()
}

fn named(listed: &[Listed<'_>]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        (CONSTRAINT[0], same(CATALOG, listed.len())),
        (CONSTRAINT[1], rows::text(listed.iter().map(|(schema, ..)| *schema))),
        (CONSTRAINT[2], rows::text(listed.iter().map(|(_, name, _)| format!("{name}_key")))),
    ]
}

fn without_rows(more: &[&'static str]) -> Result<Arc<dyn TableProvider>> {
    let names = ["constraint_catalog", "constraint_schema", "routine_catalog", "routine_schema", "specific_schema"];
    rows::table(names.iter().chain(more).map(|name| (*name, none(0))).collect())
}

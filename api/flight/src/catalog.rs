//! Catalogs, schemas, tables and their types, as the service describes them. They are the same for every workspace.

use arrow::array::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables};
use partitura_event::Problem;
use partitura_service::{Service, TableDescription};

use crate::answer::unwritable;

/// The only catalog.
pub const CATALOG: &str = "partitura";
/// Schema of tables and views.
pub const PUBLIC: &str = "public";
const SYSTEM: &str = "system";
const SCHEMAS: [&str; 2] = [PUBLIC, SYSTEM];

const TABLE: &str = "TABLE";
const VIEW: &str = "VIEW";
const SYSTEM_TABLE: &str = "SYSTEM TABLE";

/// Answers `CommandGetCatalogs`.
pub fn catalogs(command: CommandGetCatalogs) -> Result<RecordBatch, Problem> {
    let mut builder = command.into_builder();
    builder.append(CATALOG);
    made(builder.build())
}

/// Answers `CommandGetDbSchemas`.
pub fn schemas(command: CommandGetDbSchemas) -> Result<RecordBatch, Problem> {
    let mut builder = command.into_builder();
    SCHEMAS.iter().for_each(|schema| builder.append(CATALOG, schema));
    made(builder.build())
}

/// Answers `CommandGetTableTypes`.
pub fn table_types(command: CommandGetTableTypes) -> Result<RecordBatch, Problem> {
    let mut builder = command.into_builder();
    [TABLE, VIEW, SYSTEM_TABLE].iter().for_each(|ty| builder.append(ty));
    made(builder.build())
}

/// Answers `CommandGetTables`.
pub async fn tables(service: &Service, mut command: CommandGetTables) -> Result<RecordBatch, Problem> {
    for ty in &mut command.table_types {
        // The name of the same in PostgreSQL, by which some clients ask.
        if ty.eq_ignore_ascii_case("BASE TABLE") {
            TABLE.clone_into(ty);
        }
        ty.make_ascii_uppercase();
    }
    let mut builder = command.into_builder();
    for table in service.tables().await?.iter() {
        let (schema, name) = place(table);
        let appended = builder.append(CATALOG, schema, name, type_of(table), &table.schema);
        appended.map_err(|error| unwritable(&error))?;
    }
    made(builder.build())
}

/// Returns schema and name of a table.
pub fn place(table: &TableDescription) -> (&str, &str) {
    match table.name.split_once('.') {
        Some((schema, name)) => (schema, name),
        None => (PUBLIC, &table.name),
    }
}

fn type_of(table: &TableDescription) -> &'static str {
    match table.kind {
        "view" => VIEW,
        "system" => SYSTEM_TABLE,
        _ => TABLE,
    }
}

fn made(built: Result<RecordBatch, FlightError>) -> Result<RecordBatch, Problem> {
    built.map_err(|error| unwritable(&error))
}

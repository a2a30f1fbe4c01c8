//! Prepared statements: the text and its values travel in the handle, signed.

use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::sql::ActionCreatePreparedStatementResult;
use arrow_flight::{IpcMessage, SchemaAsIpc};
use bytes::Bytes;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Parameter, Principal, Service, SqlCall};
use serde_json::Value;

use crate::asked::Asked;
use crate::params;
use crate::remembered::Remembered;
use crate::sealed::{self, Statement};

/// Checks and plans a statement whose parameters are open.
pub async fn create(
    service: &Service,
    principal: &Principal,
    asked: Asked,
    sql: String,
) -> Result<ActionCreatePreparedStatementResult, Problem> {
    let mut call = asked.call(sql.clone(), Value::Null);
    call.query_id = None;
    let columns = service.sql_columns(principal, call).await?.columns;
    let open = columns.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let statement = Statement { id: uuid::Uuid::now_v7().to_string(), sql, open, params: None };
    Ok(ActionCreatePreparedStatementResult {
        prepared_statement_handle: sealed::handle(service, principal, statement)?,
        dataset_schema: if columns.schema.fields().is_empty() { Bytes::new() } else { written(&columns.schema)? },
        parameter_schema: written(&parameters(&columns.parameters))?,
    })
}

/// Binds one row of values; returns the handle that holds them.
pub fn bind(
    service: &Service,
    principal: &Principal,
    remembered: &Remembered,
    handle: &[u8],
    stream: &[u8],
) -> Result<Bytes, Problem> {
    let mut statement = sealed::statement(service, principal, handle)?;
    let batches = service.arrow_params(stream)?;
    let values = params::values(&batches, &statement.open)?;
    remembered.bind(&statement.id, &values);
    statement.params = Some(values);
    sealed::handle(service, principal, statement)
}

/// Makes the call that executes a statement with the values that are bound to it.
pub fn call(
    service: &Service,
    principal: &Principal,
    remembered: &Remembered,
    asked: Asked,
    handle: &[u8],
) -> Result<SqlCall, Problem> {
    let statement = sealed::statement(service, principal, handle)?;
    let bound = || (!statement.open.is_empty()).then(|| remembered.of(&statement.id)).flatten();
    let params = statement.params.clone().or_else(bound).unwrap_or_default();
    Ok(asked.call(statement.sql, params))
}

/// Forgets what is remembered of a statement.
pub fn close(service: &Service, principal: &Principal, remembered: &Remembered, handle: &[u8]) -> Result<(), Problem> {
    remembered.forget(&sealed::statement(service, principal, handle)?.id);
    Ok(())
}

/// Text is what a client can bind where the query does not say more.
fn parameters(open: &[Parameter]) -> Schema {
    let field = |parameter: &Parameter| {
        let ty = parameter.ty.clone().unwrap_or(DataType::Utf8);
        Field::new(format!("${}", parameter.name), plain(ty), true)
    };
    Schema::new(open.iter().map(field).collect::<Vec<_>>())
}

fn plain(ty: DataType) -> DataType {
    match ty {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::Dictionary(_, value) => plain(*value),
        other => other,
    }
}

/// Writes a schema as an IPC message.
pub fn written(schema: &Schema) -> Result<Bytes, Problem> {
    let options = IpcWriteOptions::default();
    let message = IpcMessage::try_from(SchemaAsIpc::new(schema, &options));
    message
        .map(|message| message.0)
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("a schema cannot be written: {error}")))
}

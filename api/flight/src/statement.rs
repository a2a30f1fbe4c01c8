//! From SQL to a ticket: the service plans, the columns are told, the rows wait for the ticket.

use arrow_flight::sql::{ProstMessageExt, TicketStatementQuery};
use arrow_flight::{FlightDescriptor, FlightEndpoint, FlightInfo, Ticket};
use partitura_event::{ErrorClass, Position, Problem};
use partitura_service::{Principal, Service, SqlCall};
use prost::Message;
use serde_json::json;

use crate::sealed::{self, Question, TICKET_SECONDS};

/// Plans a query and tells where its rows are.
pub async fn flight_info(
    service: &Service,
    principal: &Principal,
    mut call: SqlCall,
    descriptor: FlightDescriptor,
) -> Result<FlightInfo, Problem> {
    // The plan must not have the name under which the rows will run.
    let query_id = call.query_id.take().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let planned = service.sql_columns(principal, call.clone()).await?;
    if let Some(open) = planned.columns.parameters.first() {
        return Err(Problem::new(ErrorClass::Invalid, format!("the parameter `${}` is not given", open.name))
            .code("sql_parameter_missing")
            .hint("prepare the statement and bind one row of values before it is executed"));
    }
    let (position, given) = (planned.columns.position, service.now());
    let question = Question::fix(call, query_id.clone(), position, planned.now, given);
    let statement_handle = sealed::ticket(service, principal, question)?;
    let ticket = Ticket::new(TicketStatementQuery { statement_handle }.as_any().encode_to_vec());
    let expires = prost_types::Timestamp { seconds: given.micros() / 1_000_000 + TICKET_SECONDS, nanos: 0 };
    let endpoint = FlightEndpoint::new().with_ticket(ticket).with_expiration_time(expires);
    let told = json!({"query_id": query_id, "position": position.map_or(0, Position::get)});
    let info = FlightInfo::new()
        .try_with_schema(&planned.columns.schema)
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("the columns cannot be written: {error}")))?;
    Ok(info.with_descriptor(descriptor).with_endpoint(endpoint).with_ordered(true).with_app_metadata(told.to_string()))
}

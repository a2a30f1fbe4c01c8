//! Batches of metadata, and where a client fetches them: the command is its own ticket.

use arrow::array::RecordBatch;
use arrow_flight::sql::Any;
use arrow_flight::{FlightDescriptor, FlightEndpoint, FlightInfo, Ticket};
use partitura_event::{ErrorClass, Problem};
use prost::Message;

/// Tells where the rows of a metadata command are.
pub fn flight_info(command: &Any, batch: &RecordBatch, descriptor: FlightDescriptor) -> Result<FlightInfo, Problem> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket::new(command.encode_to_vec()));
    let info = FlightInfo::new().try_with_schema(&batch.schema()).map_err(|error| unwritable(&error))?;
    let rows = i64::try_from(batch.num_rows()).unwrap_or(-1);
    Ok(info.with_descriptor(descriptor).with_endpoint(endpoint).with_total_records(rows))
}

/// Reports a batch that could not be made.
pub fn unwritable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Internal, format!("the metadata cannot be written: {error}"))
}

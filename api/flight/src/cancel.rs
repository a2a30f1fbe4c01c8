//! Running a question under its name, and cancelling it by the same.
//!
//! A client that fetches a ticket again may do so before the server knows that the first fetch is lost. Then the
//! second runs under the name with a number; cancelling asks for all of them.

use arrow_flight::FlightInfo;
use arrow_flight::sql::{Any, Command};
use partitura_event::{Problem, Timestamp};
use partitura_service::{Principal, Service, SqlAnswer};
use prost::Message;

use crate::refused;
use crate::sealed::{self, Question};

/// Fetches of one ticket that may run at the same time.
const FETCHES_MAX: usize = 4;

/// Starts the rows of a question.
pub async fn start(
    service: &Service,
    principal: &Principal,
    question: &Question,
    today: Timestamp,
) -> Result<SqlAnswer, Problem> {
    let mut fetch = 0;
    loop {
        let mut call = question.call(today)?;
        call.query_id = Some(name(question, fetch));
        match service.sql(principal, call).await {
            Err(problem) if problem.code == "query_id_in_use" && fetch + 1 < FETCHES_MAX => fetch += 1,
            answer => return answer,
        }
    }
}

/// Cancels what runs of the question that `info` was given for; tells whether anything did.
pub fn cancel(service: &Service, principal: &Principal, info: &FlightInfo) -> Result<bool, Problem> {
    let ticket = info.endpoint.first().and_then(|endpoint| endpoint.ticket.as_ref());
    let ticket = ticket.ok_or_else(|| refused::malformed("the flight info has no ticket"))?;
    let any = Any::decode(&*ticket.ticket).map_err(|error| refused::malformed(&error.to_string()))?;
    let command = Command::try_from(any).map_err(|error| refused::malformed(&error.to_string()))?;
    let Command::TicketStatementQuery(ticket) = command else {
        return Ok(false);
    };
    let question = sealed::question(service, principal, &ticket.statement_handle)?;
    let ended = (0..FETCHES_MAX).filter(|fetch| service.cancel_sql(principal, &name(&question, *fetch)).is_ok());
    Ok(ended.count() > 0)
}

fn name(question: &Question, fetch: usize) -> String {
    match fetch {
        0 => question.query_id.clone(),
        again => format!("{}.{again}", question.query_id),
    }
}

//! What a client keeps for us between two calls: a question with its position and time, or a prepared statement.

use bytes::Bytes;
use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use partitura_service::{AsOf, Principal, ReadAt, Service, SqlCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long a ticket gives its rows again.
pub const TICKET_SECONDS: i64 = 3_600;

/// A question whose rows can be fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    sql: String,
    params: Value,
    limit: Option<usize>,
    timeout_ms: Option<u64>,
    time_zone: Option<String>,
    /// Name to cancel it by.
    pub query_id: String,
    position: Option<Position>,
    /// What `now()` says, in microseconds.
    now: i64,
    /// Last moment, in microseconds.
    expires: i64,
}

impl Question {
    /// Fixes a call that was planned at `position`, where `now()` was `now`. `given` is when the ticket is given.
    pub fn fix(call: SqlCall, query_id: String, position: Option<Position>, now: Timestamp, given: Timestamp) -> Self {
        Self {
            sql: call.sql,
            params: call.params,
            limit: call.limit,
            timeout_ms: call.timeout_ms,
            time_zone: call.time_zone,
            query_id,
            position,
            now: now.micros(),
            expires: given.micros().saturating_add(TICKET_SECONDS * 1_000_000),
        }
    }

    /// Returns how many rows the caller asked for at most.
    pub const fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Makes the service's call of it again. Errors when it is too old.
    pub fn call(&self, today: Timestamp) -> Result<SqlCall, Problem> {
        if today.micros() > self.expires {
            let problem = Problem::new(ErrorClass::Gone, "the ticket is older than an hour").code("ticket_expired");
            return Err(problem.hint("ask the question again"));
        }
        Ok(SqlCall {
            sql: self.sql.clone(),
            params: self.params.clone(),
            limit: self.limit,
            timeout_ms: self.timeout_ms,
            query_id: Some(self.query_id.clone()),
            time_zone: self.time_zone.clone(),
            // A log without any event has no position to go back to.
            at: ReadAt { as_of: self.position.map(AsOf::Position), ..ReadAt::default() },
            now: Timestamp::from_micros(self.now),
            ..SqlCall::default()
        })
    }
}

/// A prepared statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// Names it among those whose values are remembered.
    pub id: String,
    /// Its text.
    pub sql: String,
    /// Names of its parameters.
    pub open: Vec<String>,
    /// Values that were bound.
    pub params: Option<Value>,
}

#[derive(Serialize, Deserialize)]
enum Sealed {
    Question(Question),
    Statement(Statement),
}

/// Signs a question for its caller.
pub fn ticket(service: &Service, principal: &Principal, question: Question) -> Result<Bytes, Problem> {
    seal(service, principal, &Sealed::Question(question))
}

/// Signs a statement for its caller.
pub fn handle(service: &Service, principal: &Principal, statement: Statement) -> Result<Bytes, Problem> {
    seal(service, principal, &Sealed::Statement(statement))
}

/// Reads a ticket that was given to this caller.
pub fn question(service: &Service, principal: &Principal, ticket: &[u8]) -> Result<Question, Problem> {
    match unseal(service, principal, ticket)? {
        Sealed::Question(question) => Ok(question),
        Sealed::Statement(_) => Err(confused("a ticket", "a prepared statement")),
    }
}

/// Reads a statement's handle that was given to this caller.
pub fn statement(service: &Service, principal: &Principal, handle: &[u8]) -> Result<Statement, Problem> {
    match unseal(service, principal, handle)? {
        Sealed::Statement(statement) => Ok(statement),
        Sealed::Question(_) => Err(confused("a prepared statement", "a ticket")),
    }
}

fn seal(service: &Service, principal: &Principal, content: &Sealed) -> Result<Bytes, Problem> {
    let text = serde_json::to_vec(content).map_err(|error| Problem::new(ErrorClass::Internal, error.to_string()))?;
    Ok(service.seal(principal, &text).into())
}

fn unseal(service: &Service, principal: &Principal, sealed: &[u8]) -> Result<Sealed, Problem> {
    let content = service.unseal(principal, sealed)?;
    // The signature was right, so only another version of this program can have written something else.
    serde_json::from_slice(content).map_err(|_| {
        Problem::new(ErrorClass::Gone, "the ticket is of another version of the server")
            .code("ticket_expired")
            .hint("ask the question again")
    })
}

fn confused(wanted: &str, found: &str) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("{wanted} is needed here, this is {found}")).code("flight_message")
}

//! What Flight SQL knows and this server does not do, each with the way that leads there.

use partitura_event::{ErrorClass, Problem};

/// Refuses `what`.
pub fn unsupported(what: &str, hint: &str) -> Problem {
    Problem::new(ErrorClass::MethodNotAllowed, format!("{what} is not supported"))
        .code("flight_not_supported")
        .hint(hint)
}

/// Refuses to begin or end a transaction.
pub fn transaction() -> Problem {
    unsupported("a transaction", "queries read a snapshot, appends are atomic by themselves: connect with autocommit")
}

/// Refuses a statement that changes rows.
pub fn update() -> Problem {
    unsupported(
        "an update",
        "tables are folded from events: ingest rows into the table `events`, or POST them to /v1/events",
    )
}

/// Refuses Substrait.
pub fn substrait() -> Problem {
    unsupported("a Substrait plan", "send the question as SQL")
}

/// Refuses a message that cannot be read.
pub fn malformed(what: &str) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("the Flight SQL message cannot be read: {what:.200}"))
        .code("flight_message")
}

//! Why a query ends before its last row: its time is up, somebody cancelled it, or nobody reads it.
//!
//! A task can be stopped only between two of its polls, and one poll may be long. So operators ask here
//! as well, batch by batch.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use tokio::sync::Notify;
use tokio::time::Instant;

const RUNS: u8 = 0;
const CANCELLED: u8 = 1;
const UNREAD: u8 = 2;

/// Shared by a running query, its operators, its reader and the list of running queries.
#[derive(Debug)]
pub(crate) struct Stop {
    query_id: String,
    limit: Duration,
    deadline: Instant,
    state: AtomicU8,
    cancelled: Notify,
}

impl Stop {
    /// Starts the clock of a query that may run for `limit`.
    pub fn new(query_id: &str, limit: Duration) -> Self {
        let deadline = Instant::now() + limit;
        Self { query_id: query_id.to_owned(), limit, deadline, state: AtomicU8::new(RUNS), cancelled: Notify::new() }
    }

    /// Returns when its time is up.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Ends the query because somebody asked for that.
    pub fn cancel(&self) {
        self.state.store(CANCELLED, Ordering::Relaxed);
        self.cancelled.notify_one();
    }

    /// Ends the query because its reader has gone.
    pub fn leave(&self) {
        self.state.store(UNREAD, Ordering::Relaxed);
    }

    /// Errors when the query has to end.
    pub fn check(&self, now: Instant) -> Result<(), Problem> {
        match self.state.load(Ordering::Relaxed) {
            CANCELLED => Err(self.cancelled_problem()),
            UNREAD => Err(Problem::new(ErrorClass::Gone, "nobody reads the answer any more").code("sql_cancelled")),
            _ if now >= self.deadline => Err(self.timed_out()),
            _ => Ok(()),
        }
    }

    /// Waits until the query is cancelled.
    pub async fn cancelled(&self) -> Problem {
        self.cancelled.notified().await;
        self.cancelled_problem()
    }

    /// Returns the problem of a query that used up its time.
    pub fn timed_out(&self) -> Problem {
        let detail = format!("the query took longer than its limit of {} ms", self.limit.as_millis());
        Problem::new(ErrorClass::Timeout, detail)
            .code("sql_timeout")
            .hint("narrow it by time or by id, or send a larger timeout_ms")
    }

    fn cancelled_problem(&self) -> Problem {
        Problem::new(ErrorClass::Gone, format!("the query `{}` was cancelled", self.query_id)).code("sql_cancelled")
    }
}

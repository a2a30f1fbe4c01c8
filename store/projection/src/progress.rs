//! [`Progress`]: how far the tables follow the log, for `system.projections`, `/metrics` and answers of 504.

use std::collections::VecDeque;
use std::time::Duration;

use partitura_event::{Position, Timestamp};

use crate::parked::Parked;

/// How far the tables follow the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Last position that is visible in the tables.
    pub applied: Option<Position>,
    /// Last position that is in files, durably.
    pub durable: Option<Position>,
    /// Last position of the log.
    pub head: Option<Position>,
    /// When the event at `applied` was recorded, if this process applied it.
    pub applied_recorded_at: Option<Timestamp>,
    /// Time between that and now while events wait; zero when none does.
    pub lag: Duration,
    /// The failure that is being retried.
    pub last_error: Option<String>,
    /// Events applied since the start.
    pub events: u64,
    /// Events parked since the start.
    pub parked: u64,
    /// The latest of these.
    pub latest_parked: VecDeque<Parked>,
}

impl Progress {
    /// Returns how many events wait to be applied.
    pub fn lag_events(&self) -> u64 {
        let at = |position: Option<Position>| position.map_or(0, Position::get);
        at(self.head).saturating_sub(at(self.applied))
    }
}

//! What was done of one export, and when it is due again.

use std::time::Duration;

use partitura_event::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::{PAUSE_MAX, PAUSE_MIN};

/// What one run wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportDone {
    /// The position that it is of.
    pub position: u64,
    /// Files written.
    pub files: u64,
    /// Rows in these.
    pub rows: u64,
    /// Bytes of these.
    pub bytes: u64,
}

/// What was done of one export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportState {
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When the last run ended.
    pub ended_at: Option<Timestamp>,
    /// When the last run ended that was without error.
    pub succeeded_at: Option<Timestamp>,
    /// What that one wrote.
    pub last: Option<ExportDone>,
    /// Why the last run failed; none when it did not.
    pub error: Option<String>,
    /// Runs that failed since one did not.
    pub failures: u32,
    /// Runs that ended without error.
    pub runs: u64,
    #[serde(skip)]
    running: bool,
    /// Asked for out of turn.
    #[serde(skip)]
    asked_at: Option<Timestamp>,
}

impl ExportState {
    /// Returns when it is due; none while it runs.
    pub(super) fn due(&self, every: Duration, now: Timestamp) -> Option<Timestamp> {
        if self.running {
            return None;
        }
        let Some(started) = self.started_at else { return Some(self.asked_at.unwrap_or(now)) };
        let next = match self.failures {
            0 => after(started, every),
            n => after(self.ended_at.unwrap_or(started), pause(n).min(every)),
        };
        Some(self.asked_at.map_or(next, |asked| asked.min(next)))
    }

    pub(super) fn begin(&mut self, now: Timestamp) {
        (self.running, self.started_at, self.asked_at) = (true, Some(now), None);
    }

    pub(super) fn ask(&mut self, now: Timestamp) {
        self.asked_at = Some(now);
    }

    pub(super) fn end(&mut self, now: Timestamp, outcome: Result<ExportDone, &Problem>) {
        (self.running, self.ended_at) = (false, Some(now));
        match outcome {
            Ok(done) => {
                (self.error, self.failures, self.last, self.succeeded_at) = (None, 0, Some(done), Some(now));
                self.runs += 1;
            }
            Err(problem) => {
                self.error = Some(problem.to_string());
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    /// Returns it as it is after a restart: a run that a crash ended is due as if it had not begun.
    pub(super) fn after_restart(mut self) -> Self {
        if self.ended_at < self.started_at {
            self.started_at = None;
        }
        self
    }

    /// Returns a word for where it stands.
    pub fn status(&self) -> &'static str {
        match (self.running, self.failures) {
            (true, _) => "running",
            (false, 0) => "waiting",
            (false, _) => "retrying",
        }
    }
}

/// Pauses double, and never end: a store that is away for a day is tried each hour.
fn pause(failures: u32) -> Duration {
    PAUSE_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX)
}

fn after(time: Timestamp, span: Duration) -> Timestamp {
    Timestamp::clamped(time.micros().saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
}

//! [`Course`]: the life of one task, walked from its ordered moves.
//!
//! A pure function: status, minutes, agents and implied attempts all follow from the moves. Rules:
//!
//! * Nothing happens before the task is created: an earlier move, by a wrong clock, counts as made then.
//! * Of several ends the last one counts. After an end only `reopened` opens the task again, except that
//!   a task that was given up may be assigned or started anew: that is a retry.
//! * A hand-off while somebody works ends that attempt as `partial` and begins the next one at once.
//! * A cancelled task says nothing of the agent's ability: its attempt is `censored`.

use super::moves;
use crate::entity::Move;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has it.
    Open,
    /// An agent has it and has not begun.
    Assigned,
    /// An agent works on it.
    InProgress,
    /// It waits for something.
    Blocked,
    /// It was put aside.
    Paused,
    /// Done.
    Completed,
    /// Given up.
    Failed,
    /// Not wanted any more.
    Cancelled,
}

impl Status {
    /// Returns the word of the column `status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns whether it is over.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// One attempt, as task events imply it.
#[derive(Clone, Debug, PartialEq)]
pub struct Implied<'a> {
    /// Who worked, if anybody said so.
    pub agent: Option<&'a str>,
    /// `first`, `retry`, `failover` or `handoff`.
    pub cause: &'static str,
    /// µs since 1970.
    pub started_at: Option<i64>,
    /// µs since 1970.
    pub ended_at: Option<i64>,
    /// As in `attempt.ended`.
    pub result: Option<&'static str>,
}

/// Microseconds by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// As open or assigned.
    pub queue: i64,
    /// As in progress.
    pub active: i64,
    /// As blocked.
    pub blocked: i64,
    /// As paused.
    pub paused: i64,
}

/// What the moves of a task make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Course<'a> {
    /// Where it stands.
    pub status: Status,
    /// Since when, µs since 1970.
    pub since: i64,
    /// Time in closed intervals.
    pub spent: Spent,
    /// When work began first.
    pub first_started_at: Option<i64>,
    /// When it ended, while it is over.
    pub ended_at: Option<i64>,
    /// Who worked on it first.
    pub first_worker: Option<&'a str>,
    /// Who got it first.
    pub first_assigned: Option<&'a str>,
    /// Who has it, or had it last.
    pub agent: Option<&'a str>,
    /// Hand-offs.
    pub handoffs: i64,
    /// Times it was reopened.
    pub reopened: i64,
    /// Whether `attempt.started` spoke of it.
    pub explicit: bool,
    /// What the moves imply; to be ignored when `explicit`.
    pub attempts: Vec<Implied<'a>>,
    /// Whether the last attempt goes on.
    running: bool,
    /// Since when the agent has it without having begun.
    assigned_at: Option<i64>,
    handed_over: bool,
}

impl<'a> Course<'a> {
    /// Walks the moves, which are sorted. `seen` is when the task was spoken of first, µs since 1970.
    pub fn walk(moves: &'a [Move], created: Option<i64>, seen: i64) -> Self {
        let begin = created.or(moves.first().map(|step| step.stamp.time)).unwrap_or(seen);
        let mut course = Self::begin(begin);
        for step in moves {
            course.step(step.what, step.who.as_deref(), step.stamp.time.max(begin));
        }
        course
    }

    const fn begin(at: i64) -> Self {
        Self {
            status: Status::Open,
            since: at,
            spent: Spent { queue: 0, active: 0, blocked: 0, paused: 0 },
            first_started_at: None,
            ended_at: None,
            first_worker: None,
            first_assigned: None,
            agent: None,
            handoffs: 0,
            reopened: 0,
            explicit: false,
            attempts: Vec::new(),
            running: false,
            assigned_at: None,
            handed_over: false,
        }
    }

    fn step(&mut self, what: u8, who: Option<&'a str>, at: i64) {
        match what {
            moves::ASSIGNED => self.assign(who, at),
            moves::STARTED => self.start(who, at),
            moves::ATTEMPT_STARTED => {
                self.explicit = true;
                self.start(who, at);
            }
            moves::PROGRESSED if matches!(self.status, Status::Open | Status::Assigned | Status::Paused) => {
                self.start(None, at);
            }
            moves::HANDED_OFF => self.hand_off(who, at),
            moves::COMPLETED => self.end(Status::Completed, "succeeded", who, at),
            moves::FAILED => self.end(Status::Failed, "failed", who, at),
            moves::FAILED_CENSORED => self.end(Status::Failed, "censored", who, at),
            moves::CANCELLED => self.end(Status::Cancelled, "censored", None, at),
            moves::REOPENED if self.status.is_end() => {
                self.reopened += 1;
                self.turn(Status::Open, at);
            }
            _ if self.status.is_end() => {}
            moves::UNASSIGNED => {
                self.close("abandoned", at);
                self.agent = None;
                self.assigned_at = None;
                self.turn(Status::Open, at);
            }
            moves::BLOCKED => self.turn(Status::Blocked, at),
            moves::PAUSED => self.turn(Status::Paused, at),
            moves::UNBLOCKED if self.status == Status::Blocked => {
                let resumed = match (self.running, self.agent) {
                    (true, _) => Status::InProgress,
                    (false, Some(_)) => Status::Assigned,
                    (false, None) => Status::Open,
                };
                self.turn(resumed, at);
            }
            _ => {}
        }
    }

    fn turn(&mut self, status: Status, at: i64) {
        if status == self.status {
            return;
        }
        let passed = at - self.since;
        match self.status {
            Status::Open | Status::Assigned => self.spent.queue += passed,
            Status::InProgress => self.spent.active += passed,
            Status::Blocked => self.spent.blocked += passed,
            Status::Paused => self.spent.paused += passed,
            Status::Completed | Status::Failed | Status::Cancelled => {}
        }
        self.status = status;
        self.since = at;
        self.ended_at = status.is_end().then_some(at);
        if status == Status::InProgress {
            self.first_started_at.get_or_insert(at);
        }
    }

    fn assign(&mut self, who: Option<&'a str>, at: i64) {
        if matches!(self.status, Status::Completed | Status::Cancelled) {
            return;
        }
        let another = !same(who, self.agent);
        if self.running && another {
            self.close("abandoned", at);
        }
        self.agent = who.or(self.agent);
        if self.first_assigned.is_none() {
            self.first_assigned = who;
        }
        if another || self.assigned_at.is_none() {
            self.assigned_at = Some(at);
        }
        match self.status {
            Status::Open | Status::Failed => self.turn(Status::Assigned, at),
            Status::InProgress if !self.running => self.turn(Status::Assigned, at),
            _ => {}
        }
    }

    fn start(&mut self, who: Option<&'a str>, at: i64) {
        if matches!(self.status, Status::Completed | Status::Cancelled) {
            return;
        }
        if self.running && who.is_some() && self.agent.is_some() && !same(who, self.agent) {
            self.close("superseded", at);
        }
        self.agent = who.or(self.agent);
        if self.first_worker.is_none() {
            self.first_worker = self.agent;
        }
        if self.running {
            // The attempt goes on; perhaps only now somebody says who works.
            if let Some(attempt) = self.attempts.last_mut()
                && attempt.agent.is_none()
            {
                attempt.agent = self.agent;
            }
        } else {
            self.open(Some(at));
        }
        self.turn(Status::InProgress, at);
    }

    fn open(&mut self, at: Option<i64>) {
        let cause = match self.attempts.last() {
            None => "first",
            Some(_) if self.handed_over => "handoff",
            Some(last) if same(last.agent, self.agent) => "retry",
            Some(_) => "failover",
        };
        self.attempts.push(Implied { agent: self.agent, cause, started_at: at, ended_at: None, result: None });
        self.running = true;
        self.handed_over = false;
        self.assigned_at = None;
    }

    fn close(&mut self, result: &'static str, at: i64) {
        if self.running
            && let Some(attempt) = self.attempts.last_mut()
        {
            attempt.result = Some(result);
            attempt.ended_at = Some(at);
        }
        self.running = false;
    }

    fn hand_off(&mut self, to: Option<&'a str>, at: i64) {
        if self.status.is_end() {
            return;
        }
        self.handoffs += 1;
        let worked = self.running;
        self.close("partial", at);
        self.agent = to.or(self.agent);
        self.assigned_at = Some(at);
        self.handed_over = true;
        if worked {
            self.open(Some(at));
        } else if matches!(self.status, Status::Open | Status::Assigned) {
            self.turn(Status::Assigned, at);
        }
    }

    fn end(&mut self, status: Status, result: &'static str, who: Option<&'a str>, at: i64) {
        // After an end without a new start the last attempt is judged anew.
        let judged_again = self.status.is_end() && !self.running;
        if judged_again && self.attempts.last().is_some_and(|last| who.is_none() || same(last.agent, who)) {
            if status != self.status
                && let Some(last) = self.attempts.last_mut()
            {
                last.result = Some(result);
                last.ended_at = Some(at);
            }
        } else {
            self.attribute(who, at);
            if !self.running && self.agent.is_some() && status != Status::Cancelled {
                self.open(self.assigned_at);
            }
            self.close(result, at);
        }
        self.agent = who.or(self.agent);
        self.turn(status, at);
    }

    /// Makes the running attempt that of `who`; another agent's attempt ends for it.
    fn attribute(&mut self, who: Option<&'a str>, at: i64) {
        let running = if self.running { self.attempts.last_mut() } else { None };
        match (running, who) {
            (Some(attempt), Some(_)) if attempt.agent.is_none() => attempt.agent = who,
            (Some(attempt), Some(_)) if !same(attempt.agent, who) => self.close("superseded", at),
            _ => {}
        }
        if who.is_some() && !same(who, self.agent) {
            self.assigned_at = None;
        }
        self.agent = who.or(self.agent);
        if self.first_worker.is_none() {
            self.first_worker = self.agent;
        }
    }
}

/// Compares agents as ids are compared: without regard to case.
fn same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || a.to_lowercase() == b.to_lowercase(),
        (None, None) => true,
        _ => false,
    }
}

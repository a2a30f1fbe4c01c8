//! Who gets what: the bookkeeping of one subscription, without disk, clock or log.
//!
//! Every event up to the cursor is in one place: *out* with a consumer, *waiting* to be handed out again, *parked*,
//! or *settled*. The checkpoint is the last position before which nothing is out or waiting, so that settled
//! positions need to be remembered only above it. An event of before that was parked and is replayed is *waiting*
//! below the checkpoint; the checkpoint never moves back for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use partitura_event::{Position, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Parked events of one subscription. Beyond that, what fails is tried again instead, and the window fills.
pub const PARKED_MAX: usize = 1_000;

/// The bookkeeping.
#[derive(Debug)]
pub struct State {
    checkpoint: Option<Position>,
    cursor: Option<Position>,
    settled: BTreeSet<Position>,
    out: BTreeMap<Position, Out>,
    waiting: BTreeMap<Position, Waiting>,
    parked: BTreeMap<Position, Parked>,
    /// Differs with each start, so that what was handed out before is not taken for what is out now.
    epoch: u32,
    serial: u64,
}

#[derive(Debug)]
struct Out {
    attempt: u32,
    serial: u64,
    until: Instant,
}

#[derive(Debug)]
struct Waiting {
    attempts: u32,
    not_before: Instant,
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parked {
    /// Where it stands.
    pub position: Position,
    /// How often it was handed out.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: String,
    /// When.
    pub parked_at: Timestamp,
}

/// One handing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// The event.
    pub position: Position,
    /// Which time it is.
    pub attempt: u32,
    /// By which the consumer answers.
    pub delivery_id: String,
}

/// What survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Everything up to here is settled, parked or among the outstanding ones.
    pub checkpoint: Option<Position>,
    /// Settled above it.
    pub settled: Vec<Position>,
    /// Out or waiting, with how often they were handed out.
    pub outstanding: Vec<(Position, u32)>,
    /// Given up.
    pub parked: Vec<Parked>,
}

/// How an event failed.
#[derive(Clone, Debug)]
pub struct Failed<'a> {
    /// Why, for people.
    pub reason: &'a str,
    /// When it may be handed out again.
    pub not_before: Instant,
    /// It is parked at once.
    pub park: bool,
}

/// Numbers of one subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// With consumers.
    pub in_flight: usize,
    /// To be handed out again.
    pub waiting: usize,
    /// Given up.
    pub parked: usize,
}

impl State {
    /// Goes on from what was kept.
    pub fn new(kept: Kept, epoch: u32, now: Instant) -> Self {
        let waiting = kept.outstanding.into_iter().map(|(at, attempts)| (at, Waiting { attempts, not_before: now }));
        Self {
            checkpoint: kept.checkpoint,
            cursor: kept.checkpoint,
            settled: kept.settled.into_iter().collect(),
            out: BTreeMap::new(),
            waiting: waiting.collect(),
            parked: kept.parked.into_iter().map(|parked| (parked.position, parked)).collect(),
            epoch,
            serial: 0,
        }
    }

    /// Returns what must survive.
    pub fn kept(&self) -> Kept {
        let out = self.out.iter().map(|(at, out)| (*at, out.attempt));
        let waiting = self.waiting.iter().map(|(at, waiting)| (*at, waiting.attempts));
        Kept {
            checkpoint: self.checkpoint,
            settled: self.settled.iter().copied().collect(),
            outstanding: out.chain(waiting).collect(),
            parked: self.parked.values().cloned().collect(),
        }
    }

    /// Returns the position up to which everything is done with.
    pub const fn checkpoint(&self) -> Option<Position> {
        self.checkpoint
    }

    /// Returns the position up to which the log was read.
    pub const fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    /// Returns the numbers.
    pub fn counts(&self) -> Counts {
        Counts { in_flight: self.out.len(), waiting: self.waiting.len(), parked: self.parked.len() }
    }

    /// Returns the parked events, by position.
    pub fn parked(&self) -> impl Iterator<Item = &Parked> {
        self.parked.values()
    }

    /// Returns the events that are in a place already: read again after a restart, they are passed over.
    pub fn placed(&self) -> BTreeSet<Position> {
        let elsewhere = self.out.keys().chain(self.waiting.keys()).chain(self.parked.keys());
        self.settled.iter().chain(elsewhere).copied().collect()
    }

    /// Returns how many new events fit.
    pub fn room(&self, window: usize) -> usize {
        window.saturating_sub(self.out.len() + self.waiting.len())
    }

    /// Hands out what waits and is due, in order.
    pub fn hand_out_due(&mut self, limit: usize, now: Instant, ack: Duration) -> Vec<Handed> {
        let due = self.waiting.iter().filter(|(_, waiting)| waiting.not_before <= now);
        let due: Vec<_> = due.take(limit).map(|(at, waiting)| (*at, waiting.attempts)).collect();
        due.into_iter()
            .map(|(at, attempts)| {
                self.waiting.remove(&at);
                self.hand_out(at, attempts.saturating_add(1), now + ack)
            })
            .collect()
    }

    /// Hands out events that were read for the first time.
    pub fn hand_out_new(&mut self, positions: &[Position], now: Instant, ack: Duration) -> Vec<Handed> {
        positions.iter().map(|at| self.hand_out(*at, 1, now + ack)).collect()
    }

    fn hand_out(&mut self, position: Position, attempt: u32, until: Instant) -> Handed {
        self.serial += 1;
        let serial = self.serial;
        self.out.insert(position, Out { attempt, serial, until });
        Handed { position, attempt, delivery_id: format!("{position}-{serial}-{:08x}", self.epoch) }
    }

    /// Remembers up to where the log was read.
    pub fn read_to(&mut self, cursor: Option<Position>) {
        self.cursor = self.cursor.max(cursor);
        self.settle();
    }

    /// Settles what was handed out. Returns false when it is not out any more: it took too long, or is done.
    pub fn acknowledge(&mut self, delivery_id: &str) -> bool {
        let Some(position) = self.is_out(delivery_id) else { return false };
        self.out.remove(&position);
        self.done(position);
        true
    }

    /// Takes back what was handed out. Returns false when it is not out any more.
    pub fn refuse(&mut self, delivery_id: &str, failed: &Failed<'_>, attempts_max: u32, wall: Timestamp) -> bool {
        let Some(position) = self.is_out(delivery_id) else { return false };
        self.fail(position, failed, attempts_max, wall);
        true
    }

    /// Takes back what consumers kept for too long. Returns whether there was any.
    pub fn expire(&mut self, now: Instant, attempts_max: u32, wall: Timestamp) -> bool {
        let late: Vec<_> = self.out.iter().filter(|(_, out)| out.until <= now).map(|(at, _)| *at).collect();
        let failed = Failed { reason: "it was not acknowledged in time", not_before: now, park: false };
        late.iter().for_each(|position| self.fail(*position, &failed, attempts_max, wall));
        !late.is_empty()
    }

    fn fail(&mut self, position: Position, failed: &Failed<'_>, attempts_max: u32, wall: Timestamp) {
        let Some(Out { attempt, .. }) = self.out.remove(&position) else { return };
        let is_given_up = failed.park || attempt >= attempts_max;
        if is_given_up && self.parked.len() < PARKED_MAX {
            let reason = failed.reason.to_owned();
            self.parked.insert(position, Parked { position, attempts: attempt, reason, parked_at: wall });
            self.done(position);
            return;
        }
        self.waiting.insert(position, Waiting { attempts: attempt, not_before: failed.not_before });
    }

    /// Makes parked events wait again, as if they were new; all, if none is named. Returns how many.
    pub fn replay(&mut self, positions: Option<&[Position]>, now: Instant) -> usize {
        let chosen: Vec<_> = match positions {
            Some(positions) => positions.iter().copied().filter(|at| self.parked.contains_key(at)).collect(),
            None => self.parked.keys().copied().collect(),
        };
        for position in &chosen {
            self.parked.remove(position);
            self.settled.remove(position);
            self.waiting.insert(*position, Waiting { attempts: 0, not_before: now });
        }
        chosen.len()
    }

    /// Forgets parked events; all, if none is named. Returns how many.
    pub fn discard(&mut self, positions: Option<&[Position]>) -> usize {
        let before = self.parked.len();
        self.parked.retain(|at, _| positions.is_some_and(|positions| !positions.contains(at)));
        before - self.parked.len()
    }

    /// Begins again after a position. What is out is worth nothing from now on; what is parked stays parked.
    pub fn reset(&mut self, to: Option<Position>, epoch: u32) {
        self.out.clear();
        self.waiting.clear();
        self.settled.clear();
        (self.checkpoint, self.cursor, self.epoch) = (to, to, epoch);
    }

    /// Returns when something will be due that is not now.
    pub fn next_due(&self) -> Option<Instant> {
        let out = self.out.values().map(|out| out.until);
        out.chain(self.waiting.values().map(|waiting| waiting.not_before)).min()
    }

    fn is_out(&self, delivery_id: &str) -> Option<Position> {
        let mut parts = delivery_id.split('-');
        let position = Position::new(parts.next()?.parse().ok()?)?;
        let (serial, epoch) = (parts.next()?.parse::<u64>().ok()?, u32::from_str_radix(parts.next()?, 16).ok()?);
        let out = self.out.get(&position)?;
        (parts.next().is_none() && out.serial == serial && epoch == self.epoch).then_some(position)
    }

    fn done(&mut self, position: Position) {
        if Some(position) > self.checkpoint {
            self.settled.insert(position);
        }
        self.settle();
    }

    /// Moves the checkpoint up to before the first event that is out or waits.
    fn settle(&mut self) {
        let above = Position::after(self.checkpoint)..;
        let firsts = [
            self.out.range(above.clone()).next().map(|(at, _)| *at),
            self.waiting.range(above).next().map(|(at, _)| *at),
        ];
        let reached = match firsts.into_iter().flatten().min() {
            Some(first) => Position::new(first.get() - 1),
            None => self.cursor,
        };
        self.checkpoint = self.checkpoint.max(reached);
        if let Some(checkpoint) = self.checkpoint {
            self.settled = self.settled.split_off(&checkpoint.next());
        }
    }
}

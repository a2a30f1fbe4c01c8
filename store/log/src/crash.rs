//! Simulated crashes: power cuts at any write, in recovery too, thousands of times from seeds.
//!
//! Each seed writes to a log on a [`SimDisk`] until the power goes out, opens it again (often cut
//! again in the middle), and compares with a ledger of what was acknowledged: nothing acknowledged
//! may be lost, altered, moved or doubled, and what else is there must be whole requests that were
//! under way, in their order.

use std::fmt;
use std::ops::{AddAssign, Range};
use std::sync::Arc;
use std::time::Duration;

use partitura_event::{Draft, ManualClock, Position, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;

use crate::disk::{Fault, SimDisk};
use crate::error::LogError;
use crate::event_log::ReadLimit;
use crate::index::MemoryIndex;
use crate::reader::Reader;
use crate::reply::{AppendReply, ItemResult};
use crate::request::AppendRequest;
use crate::sample::{event_with, is_record_of, keyed, many};
use crate::segment_log::open_parts;
use crate::settings::LogSettings;
use crate::state::State;
use crate::writer::{Stage, Submission, Tail};

/// What a run went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Seeds run.
    pub seeds: u64,
    /// Power cuts while writing.
    pub cuts: u64,
    /// Power cuts while opening.
    pub recovery_cuts: u64,
    /// Events that were acknowledged and found again.
    pub acknowledged: u64,
    /// Events that were not acknowledged and yet there, as they may be.
    pub unacknowledged: u64,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.cuts += other.cuts;
        self.recovery_cuts += other.recovery_cuts;
        self.acknowledged += other.acknowledged;
        self.unacknowledged += other.unacknowledged;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cuts, recovery_cuts, acknowledged, unacknowledged, .. } = self;
        write!(f, "{cuts} power cuts while writing, {recovery_cuts} while opening, ")?;
        write!(f, "{acknowledged} acknowledged events found again, {unacknowledged} others survived")
    }
}

/// Runs all `seeds` and returns what they went through, or the first failure.
pub fn run(seeds: Range<u64>) -> Result<Report, String> {
    let mut report = Report::default();
    for seed in seeds {
        let mut world = World::new(seed);
        let failed = |failure| format!("seed {seed}: {failure}\nagain: cargo xtask crash 1 {seed}");
        world.live(&mut report).map_err(failed)?;
        report.seeds += 1;
    }
    Ok(report)
}

/// A log that is opened without threads, so that a seed decides everything.
struct Opened {
    state: Arc<State>,
    stage: Stage,
    tail: Tail,
    reader: Reader,
}

struct World {
    rng: ChaCha8Rng,
    disk: SimDisk,
    index: Arc<MemoryIndex>,
    /// The index as it was at some earlier start: what a disk that lied may give back.
    older_index: Arc<MemoryIndex>,
    clock: Arc<ManualClock>,
    settings: LogSettings,
    /// The events that are known to be durable, by position.
    ledger: Vec<Draft>,
    /// Requests that were not acknowledged, in order.
    doubtful: Vec<AppendRequest>,
    /// Requests with a key that are in the log, and the position before their first event.
    answered: Vec<(AppendRequest, u64)>,
    next_id: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let settings = LogSettings {
            segment_bytes: rng.random_range(6_000..20_000),
            frame_bytes: rng.random_range(100..2_000),
            head_commits: rng.random_range(1..6),
            // Nothing goes by the machine's clock, so that a seed decides everything.
            head_every: Duration::MAX,
            index_events: rng.random_range(1..40),
            compress_from_bytes: 200,
            ..LogSettings::default()
        };
        Self {
            disk: SimDisk::new(seed ^ 0x5eed),
            index: Arc::default(),
            older_index: Arc::default(),
            clock: Arc::new(ManualClock::new(Timestamp::MIN)),
            settings,
            ledger: Vec::new(),
            doubtful: Vec::new(),
            answered: Vec::new(),
            next_id: 0,
            rng,
        }
    }

    fn live(&mut self, report: &mut Report) -> Result<(), String> {
        for _ in 0..self.rng.random_range(2..5) {
            let mut log = self.open(report)?;
            self.compare(&log, report)?;
            self.retry(&mut log)?;
            let cut = self.rng.random_range(0..40);
            self.disk.inject(cut, Fault::PowerCut);
            while self.write(&mut log)? {}
            report.cuts += 1;
            drop(log);
            self.crash();
        }
        let log = self.open(report)?;
        self.compare(&log, report)?;
        report.acknowledged += self.ledger.len() as u64;
        log.reader.verify().map(drop).map_err(|error| format!("verify: {error}"))
    }

    /// Opens the log; the power may go out while it does, up to three times.
    fn open(&mut self, report: &mut Report) -> Result<Opened, String> {
        for _ in 0..3 {
            if self.rng.random_range(0..3) > 0 {
                break;
            }
            self.disk.inject(self.rng.random_range(0..8), Fault::PowerCut);
            if let Ok(log) = self.try_open() {
                drop(log);
            }
            report.recovery_cuts += 1;
            self.crash();
        }
        self.disk.heal();
        self.try_open().map_err(|error| format!("cannot open: {error}"))
    }

    fn try_open(&self) -> Result<Opened, LogError> {
        let (disk, index) = (Arc::new(self.disk.clone()), Arc::clone(&self.index));
        let clock = Arc::clone(&self.clock);
        let (state, tail) = open_parts(disk, index, self.settings.clone(), clock)?;
        let (stage, reader) = (Stage::new(Arc::clone(&state)), Reader::new(Arc::clone(&state)));
        Ok(Opened { state, stage, tail, reader })
    }

    /// Cuts the power; of the index everything, an older state, or nothing survives.
    fn crash(&mut self) {
        if self.rng.random_range(0..8) == 0 {
            self.disk.restart();
        } else {
            self.disk.power_cycle();
        }
        let older = std::mem::replace(&mut self.older_index, Arc::new(self.index.copy()));
        match self.rng.random_range(0..5) {
            0 => self.index = Arc::default(),
            1 => self.index = Arc::new(self.index.copy_with_checkpoint(None)),
            2 => self.index = older,
            _ => {}
        }
    }

    /// Checks the log against the ledger, and takes over what survived of the doubtful requests.
    fn compare(&mut self, log: &Opened, report: &mut Report) -> Result<(), String> {
        let read = log.reader.read(None, ReadLimit { events: usize::MAX, bytes: usize::MAX });
        let read = read.map_err(|error| format!("read: {error}"))?;
        if read.len() < self.ledger.len() {
            return Err(format!("{} events were acknowledged, {} are there", self.ledger.len(), read.len()));
        }
        for (recorded, draft) in read.iter().zip(&self.ledger) {
            if !is_record_of(recorded, draft) {
                return Err(format!("position {} holds {}, not {}", recorded.position, recorded.id, draft.id));
            }
        }
        let mut surviving = &read[self.ledger.len()..];
        for request in std::mem::take(&mut self.doubtful) {
            let Some(rest) = surviving.get(request.events.len()..) else { break };
            let whole = surviving.iter().zip(&request.events).all(|(recorded, draft)| is_record_of(recorded, draft));
            if !whole {
                break;
            }
            report.unacknowledged += request.events.len() as u64;
            self.note(request);
            surviving = rest;
        }
        match surviving.first() {
            Some(stray) => Err(format!("position {} holds {}, which nobody sent then", stray.position, stray.id)),
            None => self.check_index(log),
        }
    }

    /// Checks that every event is found by its id and in its stream.
    fn check_index(&self, log: &Opened) -> Result<(), String> {
        use crate::judge::Past;
        for (at, draft) in self.ledger.iter().enumerate() {
            let item = crate::judge::Item::of(draft);
            let known = log.state.layers.event(item.event).map_err(|error| error.to_string())?;
            let found = known.map(|known| known.position);
            if found != Position::new(at as u64 + 1) {
                return Err(format!("{} is found at {found:?}, and is at {}", draft.id, at + 1));
            }
            let last = log.state.layers.revision(item.stream).map_err(|error| error.to_string())?;
            if last < known.map(|known| known.revision) {
                return Err(format!("the stream of {} ends at {last:?}", draft.id));
            }
        }
        Ok(())
    }

    /// Notes that all events of a request are in the log.
    fn note(&mut self, request: AppendRequest) {
        let before = self.ledger.len() as u64;
        self.ledger.extend(request.events.iter().cloned());
        if request.request.is_some() {
            self.answered.push((request, before));
        }
    }

    /// Sends again what is in the ledger: all of it must be known, and what had a key gets its old answer.
    fn retry(&mut self, log: &mut Opened) -> Result<(), String> {
        let last: Vec<Draft> = self.ledger.iter().rev().take(5).cloned().collect();
        if last.is_empty() {
            return Ok(());
        }
        let reply = commit(log, vec![many(last)]).remove(0).map_err(|error| format!("retry: {error}"))?;
        if let Some(result) = reply.results.iter().find(|result| !matches!(result, ItemResult::Duplicate { .. })) {
            return Err(format!("a retry was {result:?}"));
        }
        for (request, before) in self.answered.iter().rev().take(3) {
            let reply = commit(log, vec![request.clone()]).remove(0).map_err(|error| format!("replay: {error}"))?;
            let at = |result: &ItemResult| match result {
                ItemResult::Appended { position, .. } => Some(position.get()),
                _ => None,
            };
            let places: Vec<u64> = reply.results.iter().filter_map(at).collect();
            let expected: Vec<u64> = (before + 1..).take(request.events.len()).collect();
            if reply.replayed.as_ref() != request.request.as_ref().map(|key| &key.context) || places != expected {
                return Err(format!("a request with a key got {reply:?}, expected {expected:?}"));
            }
        }
        Ok(())
    }

    /// Writes one commit of a few requests; `false` once the power is out.
    fn write(&mut self, log: &mut Opened) -> Result<bool, String> {
        self.clock.advance(self.rng.random_range(0..5));
        let requests: Vec<AppendRequest> = (0..self.rng.random_range(1..5)).map(|_| self.request()).collect();
        let replies = commit(log, requests.clone());
        if self.rng.random_range(0..3) == 0 {
            while log.state.layers.store_one() {}
        }
        let mut lives = true;
        for (request, reply) in requests.into_iter().zip(replies) {
            match reply {
                Ok(reply) if lives => self.acknowledge(&request, &reply)?,
                Ok(_) => return Err("a request was acknowledged after a failed one".to_owned()),
                Err(LogError::Poisoned { .. }) => {
                    lives = false;
                    self.doubtful.push(request);
                }
                Err(error) => return Err(format!("append: {error}")),
            }
        }
        Ok(lives)
    }

    fn acknowledge(&mut self, request: &AppendRequest, reply: &AppendReply) -> Result<(), String> {
        for ((draft, result), at) in request.events.iter().zip(&reply.results).zip(self.ledger.len() as u64 + 1..) {
            let expected = Position::new(at);
            match result {
                ItemResult::Appended { position, .. } if Some(*position) == expected => {}
                other => return Err(format!("{} was {other:?}, expected at {expected:?}", draft.id)),
            }
        }
        self.note(request.clone());
        Ok(())
    }

    fn request(&mut self) -> AppendRequest {
        let mut events = Vec::new();
        for _ in 0..self.rng.random_range(1..6) {
            self.next_id += 1;
            let length = self.rng.random_range(0..600);
            let text: String = (0..length).map(|_| self.rng.random_range('a'..='z')).collect();
            let stream = format!("s{}", self.rng.random_range(0..4));
            events.push(event_with(&stream, &format!("e{}", self.next_id), &format!(r#"{{"text":"{text}"}}"#)));
        }
        let mut request = many(events);
        request.atomic = self.rng.random();
        if self.rng.random_range(0..4) == 0 {
            request = keyed(request, &format!("k{}", self.next_id), "body");
        }
        request
    }
}

/// Commits requests at once and returns their answers.
fn commit(log: &mut Opened, requests: Vec<AppendRequest>) -> Vec<Result<AppendReply, LogError>> {
    let mut answers = Vec::new();
    for request in requests {
        let (answering, answer) = oneshot::channel();
        match Submission::new(request, log.state.settings.compress_from_bytes, answering) {
            Ok(submission) => log.stage.add(submission),
            Err(error) => return vec![Err(error)],
        }
        answers.push(answer);
    }
    let group = log.stage.take();
    log.tail.commit(group);
    answers.into_iter().map(|mut answer| answer.try_recv().unwrap_or(Err(LogError::Closed))).collect()
}

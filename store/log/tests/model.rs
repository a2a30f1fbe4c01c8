//! Random operations on a log and on a model of a few lines, which must agree at every step.

use std::collections::HashMap;
use std::sync::Arc;

use partitura_event::{
    Clock, Draft, Expected, Fingerprint, ManualClock, Position, Recorded, Revision, StreamName, Timestamp, Workspace,
};
use partitura_log::sample::{event_with, is_record_of, keyed, many};
use partitura_log::{
    AppendReply, AppendRequest, EventLog, FailedCheck, ItemResult, LogError, LogSettings, MemoryIndex, MemoryLog,
    ReadLimit, Refusal, SegmentLog, SimDisk, StreamCheck,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a log is, without any of what makes one fast or durable.
#[derive(Default)]
struct Model {
    events: Vec<(Draft, Revision, Timestamp)>,
    answers: HashMap<(String, String), (Fingerprint, AppendReply, Vec<u8>)>,
    /// No event is recorded earlier than this.
    last_time: Option<Timestamp>,
    /// When the last request was stored.
    frame_time: Option<Timestamp>,
}

impl Model {
    fn head(&self) -> Option<Position> {
        Position::new(self.events.len() as u64)
    }

    fn find(&self, draft: &Draft) -> Option<(usize, &Draft, Revision)> {
        let same = |other: &Draft| {
            (&other.workspace, &other.source, &other.id) == (&draft.workspace, &draft.source, &draft.id)
        };
        let at = self.events.iter().position(|(other, ..)| same(other))?;
        Some((at, &self.events[at].0, self.events[at].1))
    }

    fn stream(&self, workspace: &Workspace, stream: &StreamName) -> Vec<usize> {
        let same = |draft: &Draft| (&draft.workspace, &draft.stream) == (workspace, stream);
        (0..self.events.len()).filter(|at| same(&self.events[*at].0)).collect()
    }

    fn meets(&self, workspace: &Workspace, stream: &StreamName, expected: Expected) -> Result<(), Option<Revision>> {
        let current = Revision::new(self.stream(workspace, stream).len() as u64);
        let fine = match expected {
            Expected::Any => true,
            Expected::None => current.is_none(),
            Expected::Exists => current.is_some(),
            Expected::Exactly(revision) => current == Some(revision),
        };
        if fine { Ok(()) } else { Err(current) }
    }

    fn append(&mut self, request: &AppendRequest, now: Timestamp) -> Result<AppendReply, LogError> {
        let stored = request.request.as_ref().map(|key| (request.workspace.to_string(), key.key.clone()));
        if let (Some(name), Some(key)) = (&stored, &request.request)
            && let Some((body, reply, context)) = self.answers.get(name)
        {
            if *body != key.body {
                return Err(LogError::KeyReused { key: key.key.clone() });
            }
            return Ok(AppendReply { head: self.head(), replayed: Some(context.clone()), ..reply.clone() });
        }
        let time = self.last_time.map_or(now, |last| last.max(now));
        let (before, old) = (self.events.len(), self.head());
        let results: Vec<ItemResult> = request.events.iter().map(|draft| self.judge(draft, time)).collect();
        let after = self.events.split_off(before);
        let new = !after.is_empty()
            || results.iter().any(|result| matches!(result, ItemResult::Refused(Refusal::Revision { .. })));
        let asked = new || request.events.is_empty();
        let failed_checks = if asked { self.failed(request) } else { Vec::new() };
        let failed = request.atomic && results.iter().any(|result| matches!(result, ItemResult::Refused(_)));
        let mut reply = AppendReply { head: old, results, failed_checks, replayed: None };
        if failed || !reply.failed_checks.is_empty() {
            for result in &mut reply.results {
                if matches!(result, ItemResult::Appended { position, .. } | ItemResult::Duplicate { position, .. } if Some(*position) > old)
                {
                    *result = ItemResult::Refused(Refusal::NotApplied);
                }
            }
        } else {
            self.events.extend(after);
            reply.head = self.head();
        }
        if let (Some(name), Some(key)) = (stored, &request.request) {
            self.answers.insert(name, (key.body, reply.clone(), key.context.clone()));
        }
        if reply.results.iter().any(|result| matches!(result, ItemResult::Appended { .. })) || request.request.is_some()
        {
            (self.last_time, self.frame_time) = (Some(time), Some(time));
        }
        Ok(reply)
    }

    fn judge(&mut self, draft: &Draft, time: Timestamp) -> ItemResult {
        if let Some((at, known, stream_revision)) = self.find(draft) {
            let position = Position::new(at as u64 + 1).expect("not 0");
            return match known.fingerprint == draft.fingerprint {
                true => ItemResult::Duplicate { position, stream_revision },
                false => ItemResult::Refused(Refusal::IdReused { position }),
            };
        }
        if let Err(current) = self.meets(&draft.workspace, &draft.stream, draft.expected) {
            let (stream, expected) = (draft.stream.clone(), draft.expected);
            return ItemResult::Refused(Refusal::Revision { stream, expected, current });
        }
        let stream_revision =
            Revision::new(self.stream(&draft.workspace, &draft.stream).len() as u64 + 1).expect("not 0");
        self.events.push((draft.clone(), stream_revision, time));
        ItemResult::Appended { position: self.head().expect("not 0"), stream_revision }
    }

    fn failed(&self, request: &AppendRequest) -> Vec<FailedCheck> {
        let check = |(index, check): (usize, &StreamCheck)| {
            let current = self.meets(&request.workspace, &check.stream, check.expected).err()?;
            Some(FailedCheck { index, stream: check.stream.clone(), expected: check.expected, current })
        };
        request.checks.iter().enumerate().filter_map(check).collect()
    }
}

/// Makes requests that often collide.
struct Chance(ChaCha8Rng);

impl Chance {
    fn one_in(&mut self, n: u32) -> bool {
        self.0.random_range(0..n) == 0
    }

    fn stream(&mut self) -> String {
        format!("s{}", self.0.random_range(0..6))
    }

    fn expected(&mut self) -> Expected {
        match self.0.random_range(0..10) {
            0 => Expected::None,
            1 => Expected::Exists,
            2..5 => Expected::Exactly(Revision::new(self.0.random_range(1..20)).expect("not 0")),
            _ => Expected::Any,
        }
    }

    fn draft(&mut self, workspace: &Workspace) -> Draft {
        let id = format!("e{}", self.0.random_range(0..400));
        let version = u8::from(self.one_in(12));
        let padding = "p".repeat(self.0.random_range(0..300));
        let mut draft = event_with(&self.stream(), &id, &format!(r#"{{"version":{version},"p":"{padding}"}}"#));
        draft.workspace = workspace.clone();
        draft.fingerprint = Fingerprint::of(format!("{id} {version}").as_bytes());
        draft.expected = self.expected();
        draft
    }

    fn request(&mut self) -> AppendRequest {
        let workspace = Workspace::new(if self.one_in(5) { "other" } else { "local" }).expect("a valid name");
        let items = self.0.random_range(0..5);
        let mut request = many((0..items).map(|_| self.draft(&workspace)).collect());
        request.workspace = workspace;
        request.atomic = self.one_in(3);
        if self.one_in(4) {
            for _ in 0..self.0.random_range(1..3) {
                let stream = StreamName::new(self.stream()).expect("a valid name");
                request.checks.push(StreamCheck { stream, expected: self.expected() });
            }
        }
        if self.one_in(6) {
            let (key, body) = (self.0.random_range(0..40), self.0.random_range(0..2));
            request = keyed(request, &format!("k{key}"), &format!("b{body}"));
        }
        request
    }
}

struct Run<'a> {
    chance: Chance,
    model: Model,
    log: Arc<dyn EventLog>,
    clock: Arc<ManualClock>,
    runtime: &'a tokio::runtime::Runtime,
}

impl Run<'_> {
    fn step(&mut self) {
        if self.chance.one_in(3) {
            let step = self.chance.0.random_range(-2..5);
            self.clock.advance(step);
        }
        match self.chance.0.random_range(0..20) {
            0..14 => {
                let request = self.chance.request();
                let expected = self.model.append(&request, self.clock.now());
                assert_eq!(self.runtime.block_on(self.log.append(request.clone())), expected, "{request:?}");
            }
            14..16 => self.read(),
            16..18 => self.read_stream(),
            18 => self.find(),
            _ => self.at_time(),
        }
        assert_eq!(self.log.head(), self.model.head());
    }

    fn limit(&mut self) -> ReadLimit {
        let bytes = if self.chance.one_in(4) { self.chance.0.random_range(0..2_000) } else { usize::MAX };
        ReadLimit { events: self.chance.0.random_range(0..30), bytes }
    }

    fn read(&mut self) {
        let limit = self.limit();
        let after = self.chance.0.random_range(0..=self.model.events.len() + 1);
        let read = self.log.read(Position::new(after as u64), limit).expect("read");
        self.compare(&read, (after..self.model.events.len()).collect(), limit);
    }

    fn read_stream(&mut self) {
        let limit = self.limit();
        let workspace = Workspace::local();
        let stream = StreamName::new(self.chance.stream()).expect("a valid name");
        let mut expected = self.model.stream(&workspace, &stream);
        assert_eq!(self.log.revision(&workspace, &stream).expect("read"), Revision::new(expected.len() as u64));
        let after = self.chance.0.random_range(0..=expected.len());
        let read = self.log.read_stream(&workspace, &stream, Revision::new(after as u64), limit).expect("read");
        expected.drain(..after);
        self.compare(&read, expected, limit);
    }

    /// Checks that `read` is the beginning of `expected`, and not less of it than the limit asks for.
    fn compare(&self, read: &[Recorded], expected: Vec<usize>, limit: ReadLimit) {
        for (recorded, at) in read.iter().zip(&expected) {
            let (draft, revision, time) = &self.model.events[*at];
            assert!(is_record_of(recorded, draft), "{recorded:?} is not {draft:?}");
            assert_eq!(recorded.position.get(), *at as u64 + 1);
            assert_eq!((recorded.stream_revision, recorded.recorded_at), (*revision, *time));
        }
        assert!(read.len() <= limit.events.min(expected.len()));
        if limit.bytes == usize::MAX {
            assert_eq!(read.len(), limit.events.min(expected.len()));
        } else if limit.events > 0 && !expected.is_empty() {
            assert!(!read.is_empty());
        }
    }

    fn find(&mut self) {
        let draft = self.chance.draft(&Workspace::local());
        let found = self.log.find(&draft.workspace, &draft.source, &draft.id).expect("found");
        let expected = self.model.find(&draft).and_then(|(at, ..)| Position::new(at as u64 + 1));
        assert_eq!(found, expected);
    }

    fn at_time(&mut self) {
        let time = Timestamp::from_micros(self.chance.0.random_range(0..=self.clock.now().micros())).expect("in range");
        let expected = self.model.events.iter().take_while(|(.., recorded)| *recorded <= time).count();
        assert_eq!(self.log.position_at(time), Ok(Position::new(expected as u64)));
        let next = Timestamp::from_micros(time.micros() + 1).expect("in range");
        self.model.last_time = self.model.last_time.max(Some(next));
    }
}

fn settings(chance: &mut Chance) -> LogSettings {
    LogSettings {
        segment_bytes: chance.0.random_range(6_000..40_000),
        frame_bytes: chance.0.random_range(100..4_000),
        compress_from_bytes: chance.0.random_range(64..512),
        index_events: chance.0.random_range(1..200),
        ..LogSettings::default()
    }
}

fn run(
    seed: u64,
    steps: u32,
    make: impl Fn(&mut Chance, Arc<ManualClock>) -> Arc<dyn EventLog>,
    reopen_every: Option<u32>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(10).expect("in range")));
    let log = make(&mut chance, Arc::clone(&clock));
    let mut run = Run { chance, model: Model::default(), log, clock, runtime: &runtime };
    for _ in 0..steps {
        run.step();
        if reopen_every.is_some_and(|every| run.chance.one_in(every)) {
            let verified = run.log.verify().expect("sound");
            assert_eq!(verified.events, run.model.events.len() as u64);
            run.log = Arc::new(MemoryLog::new(run.clock.clone()));
            run.log = make(&mut run.chance, Arc::clone(&run.clock));
            // Times that were only asked for are not remembered by a log that was closed.
            run.model.last_time = run.model.frame_time;
        }
    }
    let verified = run.log.verify().expect("sound");
    assert_eq!(verified.events, run.model.events.len() as u64);
}

#[test]
fn segment_log_agrees_with_the_model() {
    for seed in 0..110 {
        let disk = SimDisk::new(seed);
        let index = Arc::new(MemoryIndex::default());
        let make = |chance: &mut Chance, clock: Arc<ManualClock>| {
            let log = SegmentLog::open_on(Arc::new(disk.clone()), index.clone(), settings(chance), clock);
            Arc::new(log.expect("the log opens")) as Arc<dyn EventLog>
        };
        run(seed, 1_000, make, Some(150));
    }
}

#[test]
fn memory_log_agrees_with_the_model() {
    for seed in 1_000..1_040 {
        run(seed, 1_000, |_, clock| Arc::new(MemoryLog::new(clock)), None);
    }
}

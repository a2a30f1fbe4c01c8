//! A log in memory: the contract without a disk, for every test above this crate.

use std::sync::Arc;

use parking_lot::Mutex;
use partitura_event::{
    Clock, Draft, EventId, Fingerprint, Position, Recorded, Revision, Source, StreamName, Timestamp, Workspace,
};
use tokio::sync::watch;

use crate::error::LogError;
use crate::event_log::{BoxFuture, EventLog, ReadLimit, Verified};
use crate::judge::{Case, Item, Known, Past, judge};
use crate::key::{Key, KeyMap};
use crate::reply::{AppendReply, FailedCheck, ItemResult};
use crate::request::AppendRequest;

/// Keeps all events in memory; nothing survives it.
pub struct MemoryLog {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    head: watch::Sender<Option<Position>>,
}

#[derive(Default)]
struct State {
    events: Vec<Recorded>,
    known: KeyMap<Known>,
    streams: KeyMap<Vec<Position>>,
    requests: KeyMap<Answer>,
    /// Times up to here were asked for or recorded: later events are recorded later, or now.
    floor: Option<Timestamp>,
    chain: [u8; 32],
}

/// A stored answer.
struct Answer {
    body: Fingerprint,
    results: Vec<ItemResult>,
    failed_checks: Vec<FailedCheck>,
    context: Vec<u8>,
}

impl MemoryLog {
    /// Makes an empty log.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), head: watch::Sender::new(None) }
    }

    fn append_now(&self, request: AppendRequest) -> Result<AppendReply, LogError> {
        let mut state = self.state.lock();
        if let Some(replayed) = state.replay(&request)? {
            return Ok(replayed);
        }
        let AppendRequest { workspace, events, checks, atomic, request } = request;
        let items = Item::all_of(&workspace, &events)?;
        let case = Case { workspace: &workspace, items: &items, checks: &checks, atomic };
        let verdict = judge(&*state, state.head(), &case)?;
        let stores = !verdict.accepted.is_empty() || request.is_some();
        let recorded_at = if stores { state.record_time(self.clock.now()) } else { Timestamp::MIN };
        let mut drafts: Vec<Option<Draft>> = events.into_iter().map(Some).collect();
        for accepted in &verdict.accepted {
            if let Some(draft) = drafts[accepted.item].take() {
                let item = &items[accepted.item];
                state.known.insert(item.event, accepted.known);
                state.streams.entry(item.stream).or_default().push(accepted.known.position);
                state.push(recorded(draft, &accepted.known, recorded_at));
            }
        }
        let (results, failed_checks) = (verdict.results, verdict.failed_checks);
        if let Some(request) = request {
            let (results, failed_checks) = (results.clone(), failed_checks.clone());
            let answer = Answer { body: request.body, results, failed_checks, context: request.context };
            state.requests.insert(Key::request(&workspace, &request.key), answer);
        }
        let head = state.head();
        self.head.send_if_modified(|seen| std::mem::replace(seen, head) != head);
        Ok(AppendReply { head, results, failed_checks, replayed: None })
    }
}

impl State {
    fn head(&self) -> Option<Position> {
        self.events.last().map(|event| event.position)
    }

    fn replay(&self, request: &AppendRequest) -> Result<Option<AppendReply>, LogError> {
        let Some(key) = &request.request else { return Ok(None) };
        let Some(answer) = self.requests.get(&Key::request(&request.workspace, &key.key)) else { return Ok(None) };
        if answer.body != key.body {
            return Err(LogError::KeyReused { key: key.key.clone() });
        }
        Ok(Some(AppendReply {
            head: self.head(),
            results: answer.results.clone(),
            failed_checks: answer.failed_checks.clone(),
            replayed: Some(answer.context.clone()),
        }))
    }

    fn record_time(&mut self, now: Timestamp) -> Timestamp {
        let time = self.floor.map_or(now, |floor| floor.max(now));
        self.floor = Some(time);
        time
    }

    fn push(&mut self, event: Recorded) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.chain).update(event.source.as_str().as_bytes()).update(event.id.as_str().as_bytes());
        hasher.update(event.data.get().as_bytes());
        self.chain = *hasher.finalize().as_bytes();
        self.events.push(event);
    }

    fn take<'a>(&self, events: impl Iterator<Item = &'a Recorded>, limit: ReadLimit) -> Vec<Recorded> {
        let mut bytes = 0;
        let mut taken = Vec::new();
        for event in events.take(limit.events) {
            bytes += event.data.get().len();
            if bytes > limit.bytes && !taken.is_empty() {
                break;
            }
            taken.push(event.clone());
        }
        taken
    }
}

impl Past for State {
    fn event(&self, key: Key) -> Result<Option<Known>, LogError> {
        Ok(self.known.get(&key).copied())
    }

    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError> {
        Ok(self.streams.get(&stream).and_then(|positions| Revision::new(positions.len() as u64)))
    }
}

/// Makes the event that the log keeps of an accepted draft.
fn recorded(draft: Draft, known: &Known, recorded_at: Timestamp) -> Recorded {
    Recorded {
        position: known.position,
        stream_revision: known.revision,
        recorded_at,
        workspace: draft.workspace,
        source: draft.source,
        id: draft.id,
        kind: draft.kind,
        subject: draft.subject,
        stream: draft.stream,
        time: draft.time,
        actor: draft.actor,
        causation: draft.causation,
        correlation: draft.correlation,
        traceparent: draft.traceparent,
        data: draft.data,
    }
}

impl EventLog for MemoryLog {
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<AppendReply, LogError>> {
        Box::pin(async move { self.append_now(request) })
    }

    fn read(&self, after: Option<Position>, limit: ReadLimit) -> Result<Vec<Recorded>, LogError> {
        let state = self.state.lock();
        let skip = after.map_or(0, |position| usize::try_from(position.get()).unwrap_or(usize::MAX));
        Ok(state.take(state.events.iter().skip(skip), limit))
    }

    fn read_stream(
        &self,
        workspace: &Workspace,
        stream: &StreamName,
        after: Option<Revision>,
        limit: ReadLimit,
    ) -> Result<Vec<Recorded>, LogError> {
        let state = self.state.lock();
        let Some(positions) = state.streams.get(&Key::stream(workspace, stream)) else { return Ok(Vec::new()) };
        let skip = after.map_or(0, |revision| usize::try_from(revision.get()).unwrap_or(usize::MAX));
        let events = positions.iter().skip(skip).map(|position| &state.events[position.get() as usize - 1]);
        Ok(state.take(events, limit))
    }

    fn revision(&self, workspace: &Workspace, stream: &StreamName) -> Result<Option<Revision>, LogError> {
        Past::revision(&*self.state.lock(), Key::stream(workspace, stream))
    }

    fn head(&self) -> Option<Position> {
        *self.head.borrow()
    }

    fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.head.subscribe()
    }

    fn find(&self, workspace: &Workspace, source: &Source, id: &EventId) -> Result<Option<Position>, LogError> {
        let known = Past::event(&*self.state.lock(), Key::event(workspace, source, id))?;
        Ok(known.map(|known| known.position))
    }

    fn position_at(&self, recorded: Timestamp) -> Result<Option<Position>, LogError> {
        let mut state = self.state.lock();
        let passed = recorded.min(self.clock.now());
        state.floor = Timestamp::from_micros(passed.micros() + 1).max(state.floor);
        let count = state.events.partition_point(|event| event.recorded_at <= recorded);
        Ok(Position::new(count as u64))
    }

    fn verify(&self) -> Result<Verified, LogError> {
        let state = self.state.lock();
        let events = state.events.len() as u64;
        Ok(Verified { events, head: state.head(), chain: state.chain, ..Verified::default() })
    }
}

//! The newest events, read and encoded once for everybody who listens.
//!
//! One task reads what is appended and keeps the newest events in a ring with a limit. A listener holds a position,
//! no queue: it takes from the ring what is after it, or reads the log itself when it is further back. So a slow one
//! costs its place, not memory, and nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;
use partitura_event::{ErrorClass, Position, Problem, Recorded, Workspace};
use partitura_log::{EventLog, ReadLimit};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::filter::EventFilter;
use super::scan::scan;
use crate::event_json::ShownEvent;

/// What the ring holds at most: events, and bytes of their data.
const RING_EVENTS: usize = 8_192;
const RING_BYTES: usize = 16 << 20;
/// One read of the log.
const STEP: ReadLimit = ReadLimit { events: 1_000, bytes: 4 << 20 };
/// What a listener takes at once: it is held while its client takes it.
const TAKE_EVENTS: usize = 512;
const TAKE_BYTES: usize = 128 << 10;
/// Listeners that read the log at the same time.
const READERS_MAX: usize = 8;
/// Waking a listener and writing to its client costs about this much; so much rest lies between two wakings of all,
/// and events that come meanwhile travel together.
const WAKING: Duration = Duration::from_micros(25);
const REST_MAX: Duration = Duration::from_millis(100);
/// Pause after the log could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// An event, and its JSON: made when the first one wants it, shared by the rest.
#[derive(Debug)]
pub struct LiveEvent {
    recorded: Recorded,
    json: OnceLock<Bytes>,
}

impl LiveEvent {
    fn new(recorded: Recorded) -> Arc<Self> {
        Arc::new(Self { recorded, json: OnceLock::new() })
    }

    /// Returns where it stands.
    pub const fn position(&self) -> Position {
        self.recorded.position
    }

    /// Returns it as lists and streams show it.
    pub fn json(&self) -> &Bytes {
        self.json.get_or_init(|| ShownEvent::from(&self.recorded).to_bytes())
    }

    fn bytes(&self) -> usize {
        self.recorded.data.get().len()
    }
}

/// What a listener takes.
pub struct Taken {
    /// What it wants of them, by position.
    pub events: Vec<Arc<LiveEvent>>,
    /// Up to where it was looked.
    pub to: Option<Position>,
    /// The ring did not reach back so far.
    pub from_log: bool,
}

#[derive(Default)]
struct Ring {
    /// Somebody listens, and the ring grows with the log.
    is_live: bool,
    /// The last position before the ring.
    before: Option<Position>,
    events: VecDeque<Arc<LiveEvent>>,
    bytes: usize,
}

impl Ring {
    fn push(&mut self, event: Arc<LiveEvent>) {
        self.bytes += event.bytes();
        self.events.push_back(event);
        while self.events.len() > RING_EVENTS || self.bytes > RING_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.before = Some(oldest.position());
        }
    }

    /// Returns what is wanted after a position; none when the ring does not reach back to it.
    fn take(&self, after: Option<Position>, workspace: &Workspace, filter: &EventFilter) -> Option<Taken> {
        if !self.is_live || after < self.before {
            return None;
        }
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        // Positions are dense, so the distance is the index.
        let first = usize::try_from(number(after) - number(self.before)).unwrap_or(usize::MAX);
        let (mut events, mut bytes, mut to) = (Vec::new(), 0, after);
        for event in self.events.iter().skip(first) {
            if events.len() == TAKE_EVENTS || bytes >= TAKE_BYTES {
                break;
            }
            to = Some(event.position());
            if filter.takes(workspace, &event.recorded) {
                bytes += event.bytes();
                events.push(Arc::clone(event));
            }
        }
        Some(Taken { events, to, from_log: false })
    }
}

/// Shares the newest events.
pub struct Feed {
    log: Arc<dyn EventLog>,
    ring: RwLock<Ring>,
    /// The last position in the ring.
    shown: watch::Sender<Option<Position>>,
    listeners: watch::Sender<usize>,
    readers: Semaphore,
}

impl Feed {
    /// Makes one of a log; [`Feed::run`] keeps it going.
    pub fn new(log: Arc<dyn EventLog>) -> Arc<Self> {
        let (shown, listeners) = (watch::Sender::new(None), watch::Sender::new(0));
        Arc::new(Self { log, ring: RwLock::default(), shown, listeners, readers: Semaphore::new(READERS_MAX) })
    }

    /// Reads what is appended while somebody listens, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut listeners = self.listeners.subscribe();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                somebody = reached(&mut listeners, |n| *n > 0) => if !somebody { return },
            }
            let follow = self.follow(&mut listeners);
            tokio::select! {
                () = stop.cancelled() => return,
                () = follow => {}
            }
            *self.ring.write() = Ring::default();
        }
    }

    /// Returns when nobody listens any more, or the log cannot be read: then listeners read it, and are told why.
    async fn follow(&self, listeners: &mut watch::Receiver<usize>) {
        let mut head = self.log.watch();
        let mut after = *head.borrow_and_update();
        *self.ring.write() = Ring { is_live: true, before: after, ..Ring::default() };
        self.shown.send_replace(after);
        loop {
            tokio::select! {
                _ = reached(listeners, |n| *n == 0) => return,
                moved = reached(&mut head, |head| *head > after) => if !moved { return },
            }
            let log = Arc::clone(&self.log);
            let step = tokio::task::spawn_blocking(move || log.read(after, STEP).map_err(Problem::from)).await;
            let events = match step.map_err(stopped).and_then(|step| step) {
                Ok(events) => events,
                Err(problem) => {
                    tracing::error!(detail = problem.detail, "the log cannot be followed; trying again");
                    *self.ring.write() = Ring::default();
                    self.shown.send_replace(*head.borrow());
                    tokio::time::sleep(PAUSE).await;
                    return;
                }
            };
            after = events.last().map_or(after, |event| Some(event.position));
            {
                let mut ring = self.ring.write();
                events.into_iter().for_each(|event| ring.push(LiveEvent::new(event)));
            }
            self.shown.send_replace(after);
            let rest = WAKING.saturating_mul(u32::try_from(*self.listeners.borrow()).unwrap_or(u32::MAX));
            tokio::time::sleep(rest.min(REST_MAX)).await;
        }
    }

    /// Counts somebody in who wants to be told.
    pub fn listen(self: &Arc<Self>) -> Listener {
        self.listeners.send_modify(|n| *n += 1);
        Listener { feed: Arc::clone(self), shown: self.shown.subscribe() }
    }

    /// Returns how many listen.
    pub fn listeners(&self) -> usize {
        *self.listeners.borrow()
    }
}

/// Somebody who listens.
pub struct Listener {
    feed: Arc<Feed>,
    shown: watch::Receiver<Option<Position>>,
}

impl Listener {
    /// Takes what is wanted after a position: from the ring, else from the log.
    pub async fn take(
        &self,
        after: Option<Position>,
        workspace: &Workspace,
        filter: &Arc<EventFilter>,
    ) -> Result<Taken, Problem> {
        if let Some(taken) = self.feed.ring.read().take(after, workspace, filter) {
            return Ok(taken);
        }
        // Few read at once, so that those who come back after a restart do not hold the memory of all their steps.
        let _turn = self.feed.readers.acquire().await;
        let (log, workspace, filter) = (Arc::clone(&self.feed.log), workspace.clone(), Arc::clone(filter));
        let read = move || {
            let wanted = |event: &Recorded| filter.takes(&workspace, event);
            let found = scan(&*log, after, TAKE_EVENTS, TAKE_BYTES, wanted)?;
            let events = found.events.into_iter().map(LiveEvent::new).collect();
            Ok(Taken { events, to: found.to, from_log: true })
        };
        tokio::task::spawn_blocking(read).await.map_err(stopped)?
    }

    /// Waits for an event after a position; false when the server stops.
    pub async fn moved(&mut self, after: Option<Position>) -> bool {
        reached(&mut self.shown, |shown| *shown > after).await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.feed.listeners.send_modify(|n| *n -= 1);
    }
}

/// Waits for a value; false when nobody will set it any more.
async fn reached<T>(watched: &mut watch::Receiver<T>, wanted: impl FnMut(&T) -> bool) -> bool {
    watched.wait_for(wanted).await.is_ok()
}

fn stopped(error: tokio::task::JoinError) -> Problem {
    Problem::new(ErrorClass::Internal, format!("reading the log stopped: {error}"))
}

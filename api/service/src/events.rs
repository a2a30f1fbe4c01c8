//! Reading the log back: pages by position or stream, and the endless tail.

use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use partitura_event::{ErrorClass, EventType, Position, Problem, Recorded, Revision, StreamName, Workspace};
use partitura_log::{EventLog, ReadLimit};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::gate::Pass;
use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;

/// Events that one read of the log may pass over in search of matching ones.
const SCAN_MAX: usize = 50_000;
const STEP: ReadLimit = ReadLimit { events: 1_000, bytes: 4 << 20 };
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this stream only.
    pub stream: Option<StreamName>,
    /// Of these types only; empty means all.
    pub types: Vec<EventType>,
}

impl EventFilter {
    fn takes(&self, workspace: &Workspace, event: &Recorded) -> bool {
        event.workspace == *workspace
            && (self.types.is_empty() || self.types.contains(&event.kind))
            && self.stream.as_ref().is_none_or(|stream| event.stream == *stream)
    }
}

/// One page of events.
#[derive(Debug)]
pub struct EventPage {
    /// Matching events, by position.
    pub events: Vec<Recorded>,
    /// Where the next page begins; none at the end.
    pub next: Option<Position>,
}

/// What a tail says.
#[derive(Debug)]
pub enum Tailed {
    /// One event.
    Event(Box<Recorded>),
    /// Everything up to here was sent.
    CaughtUp(Option<Position>),
    /// Nothing new, still here.
    Heartbeat(Option<Position>),
}

impl Service {
    /// Returns the page of events after a position.
    pub async fn events(
        &self,
        principal: &Principal,
        filter: EventFilter,
        after: Option<Position>,
        limit: usize,
        at: &ReadAt,
    ) -> Result<EventPage, Problem> {
        let end = self.read_point(at).await?.as_of;
        let (log, workspace) = (Arc::clone(self.log()), principal.workspace.clone());
        let page = move || match &filter.stream {
            Some(stream) => page_of_stream(&*log, &workspace, stream, &filter, after, end, limit),
            None => page_of_log(&*log, &workspace, &filter, after, end, limit),
        };
        tokio::task::spawn_blocking(page).await.map_err(stopped)?
    }

    /// Streams events after a position, then each new one, until `stop`.
    pub async fn tail(
        &self,
        principal: &Principal,
        filter: EventFilter,
        after: Option<Position>,
        stop: CancellationToken,
    ) -> Result<impl Stream<Item = Result<Tailed, Problem>> + Send + use<>, Problem> {
        let pass = self.subscription_gate().enter().await?;
        let (sender, receiver) = mpsc::channel(256);
        let (workspace, pause) = (principal.workspace.clone(), self.settings().stall_timeout);
        let tail = Tail { log: Arc::clone(self.log()), workspace, filter, sender, pause };
        tokio::spawn(tail.run(after, stop, pass));
        Ok(ReceiverStream::new(receiver))
    }
}

fn page_of_log(
    log: &dyn EventLog,
    workspace: &Workspace,
    filter: &EventFilter,
    mut after: Option<Position>,
    end: Option<Position>,
    limit: usize,
) -> Result<EventPage, Problem> {
    let (mut events, mut scanned) = (Vec::new(), 0);
    loop {
        let step = log.read(after, STEP).map_err(Problem::from)?;
        if step.is_empty() {
            return Ok(EventPage { events, next: None });
        }
        for event in step {
            if end.is_some_and(|end| event.position > end) {
                return Ok(EventPage { events, next: None });
            }
            if events.len() == limit || scanned == SCAN_MAX {
                return Ok(EventPage { events, next: after });
            }
            scanned += 1;
            after = Some(event.position);
            if filter.takes(workspace, &event) {
                events.push(event);
            }
        }
    }
}

fn page_of_stream(
    log: &dyn EventLog,
    workspace: &Workspace,
    stream: &StreamName,
    filter: &EventFilter,
    after: Option<Position>,
    end: Option<Position>,
    limit: usize,
) -> Result<EventPage, Problem> {
    let (mut events, mut revision) = (Vec::<Recorded>::new(), None::<Revision>);
    loop {
        let step = log.read_stream(workspace, stream, revision, STEP).map_err(Problem::from)?;
        if step.is_empty() {
            return Ok(EventPage { events, next: None });
        }
        for event in step {
            revision = Some(event.stream_revision);
            if end.is_some_and(|end| event.position > end) {
                return Ok(EventPage { events, next: None });
            }
            if Some(event.position) <= after || !filter.takes(workspace, &event) {
                continue;
            }
            if events.len() == limit {
                let next = events.last().map(|event| event.position);
                return Ok(EventPage { events, next });
            }
            events.push(event);
        }
    }
}

struct Tail {
    log: Arc<dyn EventLog>,
    workspace: Workspace,
    filter: EventFilter,
    sender: mpsc::Sender<Result<Tailed, Problem>>,
    /// How long the reader may let it wait.
    pause: Duration,
}

impl Tail {
    /// Ends when the reader is gone, the server stops or the log fails.
    async fn run(self, mut after: Option<Position>, stop: CancellationToken, _pass: Pass) {
        let mut head = self.log.watch();
        loop {
            let log = Arc::clone(&self.log);
            let step = tokio::task::spawn_blocking(move || log.read(after, STEP).map_err(Problem::from)).await;
            let step = match step.map_err(stopped).and_then(|step| step) {
                Ok(step) => step,
                Err(problem) => {
                    let _ = self.sender.send(Err(problem)).await;
                    return;
                }
            };
            let caught_up = step.is_empty();
            for event in step {
                after = Some(event.position);
                if self.filter.takes(&self.workspace, &event) && !self.say(Tailed::Event(Box::new(event)), &stop).await
                {
                    return;
                }
            }
            if caught_up {
                if !self.say(Tailed::CaughtUp(after), &stop).await {
                    return;
                }
                if !self.wait(&mut head, after, &stop).await {
                    return;
                }
            }
        }
    }

    /// Waits for a position beyond `after`, with heartbeats; false means stop.
    async fn wait(
        &self,
        head: &mut watch::Receiver<Option<Position>>,
        after: Option<Position>,
        stop: &CancellationToken,
    ) -> bool {
        loop {
            tokio::select! {
                () = stop.cancelled() => return false,
                () = self.sender.closed() => return false,
                () = tokio::time::sleep(HEARTBEAT) => {
                    if !self.say(Tailed::Heartbeat(after), stop).await { return false; }
                }
                moved = reached(head, after) => return moved,
            }
        }
    }

    /// Returns whether there is still somebody who listens.
    async fn say(&self, what: Tailed, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = stop.cancelled() => false,
            sent = tokio::time::timeout(self.pause, self.sender.send(Ok(what))) => matches!(sent, Ok(Ok(()))),
        }
    }
}

/// Waits for a position beyond `after`; false when the log is gone.
async fn reached(head: &mut watch::Receiver<Option<Position>>, after: Option<Position>) -> bool {
    head.wait_for(|head| *head > after).await.is_ok()
}

fn stopped(error: tokio::task::JoinError) -> Problem {
    Problem::new(ErrorClass::Internal, format!("reading the log stopped: {error}"))
}

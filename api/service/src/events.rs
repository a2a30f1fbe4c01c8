//! Reading the log back: pages by position or stream.

use std::sync::Arc;

use partitura_event::{ErrorClass, Position, Problem, Recorded, Revision, StreamName, Workspace};
use partitura_log::{EventLog, ReadLimit};

use crate::live::filter::EventFilter;
use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;

/// Events that one read of the log may pass over in search of matching ones.
const SCAN_MAX: usize = 50_000;
const STEP: ReadLimit = ReadLimit { events: 1_000, bytes: 4 << 20 };

/// One page of events.
#[derive(Debug)]
pub struct EventPage {
    /// Matching events, by position.
    pub events: Vec<Recorded>,
    /// Where the next page begins; none at the end.
    pub next: Option<Position>,
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
        let page = move || match filter.one_stream() {
            Some(stream) => page_of_stream(&*log, &workspace, &stream, &filter, after, end, limit),
            None => page_of_log(&*log, &workspace, &filter, after, end, limit),
        };
        tokio::task::spawn_blocking(page).await.map_err(stopped)?
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

fn stopped(error: tokio::task::JoinError) -> Problem {
    Problem::new(ErrorClass::Internal, format!("reading the log stopped: {error}"))
}

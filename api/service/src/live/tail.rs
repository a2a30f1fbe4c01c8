//! One listener: everything after a position, then what comes, until it leaves, stalls or may not stay.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::Stream;
use partitura_event::{Position, Problem, Workspace};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::Admission;
use super::feed::{Listener, LiveEvent};
use super::filter::EventFilter;
use super::pump::{Speaker, spoken, stopping};
use crate::metrics::Metrics;
use crate::principal::Principal;
use crate::service::Service;

/// The heartbeat that a listener may ask for.
const HEARTBEAT_MIN: Duration = Duration::from_millis(100);
const HEARTBEAT_MAX: Duration = Duration::from_secs(300);

/// What a listener asks for.
#[derive(Clone, Debug, Default)]
pub struct TailCall {
    /// Which events.
    pub filter: EventFilter,
    /// From where.
    pub after: After,
    /// Milliseconds of silence until a heartbeat, instead of the setting's.
    pub heartbeat_ms: Option<u64>,
}

/// Where a listener begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// With the first event of the log.
    #[default]
    Nothing,
    /// After this position.
    Position(Position),
    /// With what comes from now on.
    Now,
}

impl After {
    /// Reads a position, 0 or `beginning`, or `now`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        match text.trim() {
            "now" => return Ok(Self::Now),
            "beginning" => return Ok(Self::Nothing),
            _ => {}
        }
        let number: u64 = text.trim().parse().map_err(|_| {
            let detail = format!("`{field}` is a position, beginning or now; not `{text:.40}`");
            Problem::invalid_field(field, "wrong_type", detail)
        })?;
        Ok(Position::new(number).map_or(Self::Nothing, Self::Position))
    }

    /// Returns the position. Refuses one that is not there yet: who resumes at it would miss what takes its place.
    pub(crate) fn resolve(self, head: Option<Position>) -> Result<Option<Position>, Problem> {
        let after = match self {
            Self::Nothing => None,
            Self::Position(position) => Some(position),
            Self::Now => head,
        };
        if after > head {
            let (after, head) = (after.map_or(0, Position::get), head.map_or(0, Position::get));
            let detail = format!("position {after} does not exist: the log ends at {head}");
            return Err(Problem::invalid_field("after_position", "position_ahead", detail)
                .code("position_ahead")
                .hint("if the server was restored from a backup, read again from a position that you trust"));
        }
        Ok(after)
    }
}

/// What a tail says.
#[derive(Clone, Debug)]
pub enum Tailed {
    /// Events, by position.
    Events(Vec<Arc<LiveEvent>>),
    /// Everything up to here was sent; what follows is new.
    CaughtUp(Option<Position>),
    /// Nothing new up to here, still here.
    Heartbeat(Option<Position>),
    /// The last word: why, and after which position to go on.
    Ended(Problem, Option<Position>),
}

impl Service {
    /// Streams events after a position, then each new one, until `stop`.
    ///
    /// The stream is fed by a task that holds at most two takes of events. A client that takes none for
    /// `stall_timeout` loses its place; should it read on, the last thing it is told is where to resume.
    pub async fn tail(
        &self,
        principal: &Principal,
        call: TailCall,
        stop: CancellationToken,
    ) -> Result<impl Stream<Item = Tailed> + Send + use<>, Problem> {
        let heartbeat = self.heartbeat(call.heartbeat_ms)?;
        let after = call.after.resolve(self.head())?;
        let pass = self.subscription_gate().enter().await?;
        let (listener, keys) = (self.engines().feed().listen(), self.shared_keys());
        let (workspace, metrics) = (principal.workspace.clone(), Arc::clone(self.metrics()));
        let (filter, admission) = (Arc::new(call.filter), Admission::new(keys, principal));
        Ok(spoken(self.settings().stall_timeout, move |speaker| async move {
            let _pass = pass;
            let tail = Tail { listener, workspace, filter, admission, speaker, heartbeat, metrics };
            tail.run(after, stop).await
        }))
    }
}

impl Service {
    /// Returns the silence until a heartbeat, as the caller asks or the settings say.
    pub(super) fn heartbeat(&self, asked_ms: Option<u64>) -> Result<Duration, Problem> {
        let Some(asked) = asked_ms.map(Duration::from_millis) else { return Ok(self.settings().heartbeat) };
        if (HEARTBEAT_MIN..=HEARTBEAT_MAX).contains(&asked) {
            return Ok(asked);
        }
        let (min, max) = (HEARTBEAT_MIN.as_millis(), HEARTBEAT_MAX.as_millis());
        let detail = format!("`heartbeat_ms` = {} is not between {min} and {max}", asked.as_millis());
        Err(Problem::invalid_field("heartbeat_ms", "out_of_range", detail))
    }
}

struct Tail {
    listener: Listener,
    workspace: Workspace,
    filter: Arc<EventFilter>,
    admission: Admission,
    speaker: Speaker<Tailed>,
    heartbeat: Duration,
    metrics: Arc<Metrics>,
}

impl Tail {
    /// Returns the last word, if there is one and somebody may hear it.
    async fn run(mut self, mut after: Option<Position>, stop: CancellationToken) -> Option<Tailed> {
        let mut sent = after;
        let ended = tokio::select! {
            () = stop.cancelled() => Err(stopping()),
            ended = self.follow(&mut after, &mut sent) => ended,
        };
        let problem = ended.err()?;
        self.metrics.live_ended.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(code = problem.code, position = sent.map_or(0, Position::get), "a stream of events was ended");
        Some(Tailed::Ended(problem, sent))
    }

    /// Follows until the reader has gone. `after` is what was looked at, `sent` what was handed over.
    async fn follow(&mut self, after: &mut Option<Position>, sent: &mut Option<Position>) -> Result<(), Problem> {
        let (mut is_behind, mut spoke) = (true, Instant::now());
        loop {
            self.admission.check()?;
            let taken = self.listener.take(*after, &self.workspace, &self.filter).await?;
            is_behind |= taken.from_log && taken.to > *after;
            let is_at_end = taken.to == *after;
            *after = taken.to;
            let said = if !taken.events.is_empty() {
                self.metrics.live_events.fetch_add(taken.events.len() as u64, Ordering::Relaxed);
                Some(Tailed::Events(taken.events))
            } else if is_at_end && is_behind {
                is_behind = false;
                Some(Tailed::CaughtUp(*after))
            } else if spoke.elapsed() >= self.heartbeat {
                Some(Tailed::Heartbeat(*after))
            } else {
                None
            };
            if let Some(said) = said {
                if !self.speaker.say(said).await? {
                    return Ok(());
                }
                *sent = *after;
                spoke = Instant::now();
            }
            if is_at_end {
                tokio::select! {
                    () = self.speaker.closed() => return Ok(()),
                    () = tokio::time::sleep_until(spoke + self.heartbeat) => {}
                    moved = self.listener.moved(*after) => if !moved { return Err(stopping()) },
                }
            }
        }
    }
}

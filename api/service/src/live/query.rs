//! A question that is answered again when its tables move.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use partitura_event::{Position, Problem};
use partitura_query::{Format, SqlLimits, encode};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::Admission;
use super::pump::{Speaker, spoken, stopping};
use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;
use crate::sql::SqlCall;

/// Rows and bytes of one answer: it is held in memory, to be compared and sent whole.
const ROWS_MAX: usize = 10_000;
const BYTES_MAX: usize = 8 << 20;
/// Time between two answers.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
const INTERVAL_MIN: Duration = Duration::from_millis(100);
const INTERVAL_MAX: Duration = Duration::from_secs(3_600);
/// Failures in a row that end a live query.
const FAILURES_MAX: u32 = 10;

/// A question that stays.
#[derive(Clone, Debug, Default)]
pub struct LiveCall {
    /// The question.
    pub call: SqlCall,
    /// Milliseconds between two answers, at least.
    pub min_interval_ms: Option<u64>,
    /// Milliseconds of silence until a heartbeat, instead of the setting's.
    pub heartbeat_ms: Option<u64>,
}

/// What a live query says.
#[derive(Clone, Debug)]
pub enum Live {
    /// Another answer than before.
    Answer(LiveAnswer),
    /// The answer before is still right here.
    Heartbeat(Option<Position>),
    /// It could not be answered this time; it will be tried again.
    Failed(Problem, Option<Position>),
    /// The last word.
    Ended(Problem, Option<Position>),
}

/// One answer.
#[derive(Clone, Debug)]
pub struct LiveAnswer {
    /// Where it is right.
    pub position: Option<Position>,
    /// A JSON array of rows.
    pub rows: Arc<str>,
    /// A limit cut it.
    pub truncated: bool,
    /// How long it took.
    pub took_ms: u64,
}

impl Service {
    /// Answers a question now, and again when a table that it reads has moved, if the answer is another one then.
    ///
    /// The first answer is there when this returns; its problems are the call's. One query runs at a time, in the
    /// line and within the limits of all queries.
    pub async fn sql_live(
        self: &Arc<Self>,
        principal: &Principal,
        live: LiveCall,
        stop: CancellationToken,
    ) -> Result<impl Stream<Item = Live> + Send + use<>, Problem> {
        let LiveCall { mut call, min_interval_ms, heartbeat_ms } = live;
        if call.at.as_of.is_some() {
            let detail = "a live query is about what is now; `as_of` belongs to /v1/sql";
            return Err(Problem::invalid_field("as_of", "contradiction", detail));
        }
        let interval = min_interval_ms.map_or(INTERVAL_DEFAULT, Duration::from_millis);
        if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) {
            let (min, max) = (INTERVAL_MIN.as_millis(), INTERVAL_MAX.as_millis());
            let detail = format!("`min_interval_ms` = {} is not between {min} and {max}", interval.as_millis());
            return Err(Problem::invalid_field("min_interval_ms", "out_of_range", detail));
        }
        let (heartbeat, limits) = (self.heartbeat(heartbeat_ms)?, self.live_limits(&call)?);
        let pass = self.live_gate().enter().await?;
        let first = self.answer_live(principal, call.clone(), limits.clone()).await?;
        call.at = ReadAt::default();
        let admission = Admission::new(self.shared_keys(), principal);
        let (service, principal) = (Arc::clone(self), principal.clone());
        Ok(spoken(self.settings().stall_timeout, move |speaker| async move {
            let _pass = pass;
            let query = LiveQuery { service, principal, call, limits, admission, speaker, interval, heartbeat };
            tokio::select! {
                () = stop.cancelled() => Some(Live::Ended(stopping(), None)),
                last = query.run(first) => last,
            }
        }))
    }

    fn live_limits(&self, call: &SqlCall) -> Result<SqlLimits, Problem> {
        let limits = self.sql_limits(call)?;
        Ok(SqlLimits { rows: limits.rows.min(ROWS_MAX), bytes: limits.bytes.min(BYTES_MAX), ..limits })
    }

    async fn answer_live(
        &self,
        principal: &Principal,
        call: SqlCall,
        limits: SqlLimits,
    ) -> Result<(LiveAnswer, BTreeSet<String>), Problem> {
        let started = Instant::now();
        let answer = self.sql_within(principal, call, limits).await?;
        let (position, stats, reads) = (answer.stream.position(), answer.stream.stats(), answer.stream.reads());
        let (mut text, mut chunks) = (Vec::new(), Box::pin(encode(answer.stream, Format::Json)));
        while let Some(chunk) = chunks.next().await {
            text.extend_from_slice(&chunk?);
        }
        // One line: JSON has line ends between rows only, and an event of a stream none.
        text.retain(|byte| *byte != b'\n');
        let rows = String::from_utf8_lossy(&text).into();
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok((LiveAnswer { position, rows, truncated: stats.get().truncated, took_ms }, reads.names()))
    }
}

struct LiveQuery {
    service: Arc<Service>,
    principal: Principal,
    call: SqlCall,
    limits: SqlLimits,
    admission: Admission,
    speaker: Speaker<Live>,
    interval: Duration,
    heartbeat: Duration,
}

impl LiveQuery {
    /// Returns the last word, if somebody may hear it.
    async fn run(self, (first, reads): (LiveAnswer, BTreeSet<String>)) -> Option<Live> {
        let mut at = first.position;
        match self.follow(first, reads, &mut at).await {
            Ok(()) => None,
            Err(problem) => Some(Live::Ended(problem, at)),
        }
    }

    /// Follows until the reader has gone. `at` is where the last answer is known to be right.
    async fn follow(
        &self,
        first: LiveAnswer,
        mut reads: BTreeSet<String>,
        at: &mut Option<Position>,
    ) -> Result<(), Problem> {
        let mut told = blake3::hash(first.rows.as_bytes());
        let mut asked = Instant::now();
        let mut failures = 0;
        if !self.speaker.say(Live::Answer(first)).await? {
            return Ok(());
        }
        while self.moved(&reads, at).await? {
            tokio::time::sleep_until(asked + self.interval).await;
            self.admission.check()?;
            asked = Instant::now();
            let answered = self.service.answer_live(&self.principal, self.call.clone(), self.limits.clone()).await;
            let said = match answered {
                Ok((answer, read)) => {
                    (*at, reads, failures) = (answer.position, read, 0);
                    let hash = blake3::hash(answer.rows.as_bytes());
                    let is_another = hash != told;
                    told = hash;
                    is_another.then_some(Live::Answer(answer))
                }
                Err(problem) => {
                    failures += 1;
                    if failures == FAILURES_MAX {
                        return Err(problem);
                    }
                    // Asked again after the next move, or at once if there was one meanwhile.
                    Some(Live::Failed(problem, *at))
                }
            };
            if let Some(said) = said
                && !self.speaker.say(said).await?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits until a table of the question has moved, with heartbeats; false when nobody listens any more.
    async fn moved(&self, reads: &BTreeSet<String>, at: &mut Option<Position>) -> Result<bool, Problem> {
        let store = self.service.store();
        let mut published = store.watch();
        let mut looked_to = *at;
        let mut spoke = Instant::now();
        loop {
            tokio::select! {
                () = self.speaker.closed() => return Ok(false),
                () = tokio::time::sleep_until(spoke + self.heartbeat) => {
                    self.admission.check()?;
                    if !self.speaker.say(Live::Heartbeat(*at)).await? {
                        return Ok(false);
                    }
                    spoke = Instant::now();
                }
                position = after(&mut published, looked_to) => {
                    let Some(position) = position else { return Err(stopping()) };
                    looked_to = Some(position);
                    let moves = |name: &String| {
                        // What the engine tells of itself has no position of its own.
                        name.starts_with("system.") || store.moved(&self.principal.workspace, name) > *at
                    };
                    if reads.iter().any(moves) {
                        return Ok(true);
                    }
                    *at = Some(position);
                }
            }
        }
    }
}

/// Waits for a position beyond another; none when nothing is published any more.
async fn after(
    published: &mut tokio::sync::watch::Receiver<Option<Position>>,
    position: Option<Position>,
) -> Option<Position> {
    published.wait_for(|at| *at > position).await.ok().and_then(|at| *at)
}

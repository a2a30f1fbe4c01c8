//! Scores of other platforms: each is an outcome, and sent again under its id it takes the place of the former.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use partitura_event::{Draft, ErrorClass, Expected, Position, Problem, Recorded, Revision, StreamName};
use partitura_ingest::vendor::Judgement;
use partitura_ingest::{ContentType, Context, decode};
use partitura_log::{AppendRequest, ItemResult, LogError, ReadLimit, Refusal};
use serde_json::Value;

use crate::memory::new_id;
use crate::principal::Principal;
use crate::service::Service;

/// How often a score is tried that somebody else changes at the same time.
const TRIES: usize = 8;

/// A score that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// It was not there before.
    pub is_new: bool,
}

impl Service {
    /// Stores scores, in order, each for itself; answers each. All that is answered is durable.
    #[tracing::instrument(level = "debug", skip_all, fields(workspace = %principal.workspace, scores = judgements.len()))]
    pub async fn judge(
        &self,
        principal: &Principal,
        judgements: Vec<Judgement>,
    ) -> Result<Vec<Result<Kept, Problem>>, Problem> {
        self.accepting()?;
        let _pass = self.append_gate().enter().await?;
        let id = |judgement: &Judgement| judgement.id.clone().unwrap_or_else(|| new_id(principal, None));
        let named: Vec<_> = judgements.into_iter().map(|judgement| (id(&judgement), judgement)).collect();
        let events = named.iter().map(|(id, judgement)| judgement.event(id, 1, None)).collect();
        let results = self.append_judgements(principal, self.decode_judgements(principal, events)?).await?;
        let mut kept = Vec::with_capacity(named.len());
        for ((id, judgement), result) in named.into_iter().zip(results) {
            let is_new = match result {
                Ok(ItemResult::Appended { .. }) => Ok(true),
                Ok(ItemResult::Duplicate { position, .. }) => self.repeated(principal, &id, &judgement, position).await,
                Ok(ItemResult::Refused(refusal)) => self.replaced(principal, &id, &judgement, &refusal).await,
                Err(problem) => Err(problem),
            };
            self.count_judgement(&is_new);
            kept.push(is_new.map(|is_new| Kept { id, is_new }));
        }
        Ok(kept)
    }

    /// A score that is there already may have been replaced since, and now comes back.
    async fn repeated(
        &self,
        principal: &Principal,
        id: &str,
        judgement: &Judgement,
        position: Position,
    ) -> Result<bool, Problem> {
        match self.latest(principal, &judgement.stream(id)).await? {
            Some(latest) if latest.position != position => self.replace(principal, id, judgement, latest).await,
            _ => Ok(false),
        }
    }

    async fn replaced(
        &self,
        principal: &Principal,
        id: &str,
        judgement: &Judgement,
        refusal: &Refusal,
    ) -> Result<bool, Problem> {
        match (refusal, self.latest(principal, &judgement.stream(id)).await?) {
            (Refusal::IdReused { .. }, Some(latest)) => self.replace(principal, id, judgement, latest).await,
            _ => Err(reused(id)),
        }
    }

    /// Appends the next version of a score, unless the latest says the same.
    async fn replace(
        &self,
        principal: &Principal,
        id: &str,
        judgement: &Judgement,
        mut latest: Recorded,
    ) -> Result<bool, Problem> {
        for _ in 0..TRIES {
            let version = latest.stream_revision.get();
            let data: Value = serde_json::from_str(latest.data.get()).unwrap_or_default();
            let again = judgement.event(id, version, data["supersedes"].as_str());
            let next = judgement.event(id, version + 1, data["outcome_id"].as_str());
            let mut drafts = self.decode_judgements(principal, vec![again, next])?.into_iter();
            let (Some(again), Some(next)) = (drafts.next(), drafts.next()) else { break };
            let (again, mut next) = (again?, next?);
            let is_timed = judgement.time.is_some();
            if again.data.get() == latest.data.get() && (!is_timed || again.time == latest.time) {
                return Ok(false);
            }
            next.expected = Expected::Exactly(latest.stream_revision);
            let stream = judgement.stream(id);
            match self.append_judgements(principal, vec![Ok(next)]).await?.pop() {
                Some(Ok(ItemResult::Appended { .. })) => return Ok(true),
                Some(Ok(ItemResult::Refused(Refusal::Revision { .. }))) => {}
                Some(Err(problem)) => return Err(problem),
                _ => break,
            }
            let Some(newer) = self.latest(principal, &stream).await? else { break };
            latest = newer;
        }
        Err(reused(id))
    }

    /// Returns the latest event of a stream.
    async fn latest(&self, principal: &Principal, stream: &str) -> Result<Option<Recorded>, Problem> {
        let (log, workspace) = (Arc::clone(self.log()), principal.workspace.clone());
        let stream = StreamName::new(stream)?;
        let read = move || -> Result<Option<Recorded>, LogError> {
            let Some(revision) = log.revision(&workspace, &stream)? else { return Ok(None) };
            let before = Revision::new(revision.get() - 1);
            Ok(log.read_stream(&workspace, &stream, before, ReadLimit::events(1))?.pop())
        };
        let read = tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| Problem::new(ErrorClass::Internal, format!("reading the log stopped: {error}")))?;
        read.map_err(Problem::from)
    }

    fn decode_judgements(
        &self,
        principal: &Principal,
        events: Vec<Value>,
    ) -> Result<Vec<Result<Draft, Problem>>, Problem> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let context = Context {
            workspace: &principal.workspace,
            source: &principal.source,
            now: self.clock().now(),
            ids: self.ids(),
            redactor: self.redactor(),
            limits: self.ingest_limits(),
            strict: false,
            idempotent: true,
        };
        let body = Value::Array(events).to_string();
        let decoded = decode(ContentType::Json, &[], body.as_bytes(), &context)?;
        self.metrics().redacted(decoded.redactions.iter().map(|(rule, n)| (rule.as_str(), *n)));
        let draft = |item: Result<partitura_ingest::Accepted, partitura_ingest::Rejected>| {
            item.map(|accepted| accepted.draft).map_err(|rejected| rejected.problem)
        };
        Ok(decoded.items.into_iter().map(draft).collect())
    }

    /// Appends what could be decoded; answers each item.
    async fn append_judgements(
        &self,
        principal: &Principal,
        items: Vec<Result<Draft, Problem>>,
    ) -> Result<Vec<Result<ItemResult, Problem>>, Problem> {
        let drafts: Vec<_> = items.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
        if drafts.is_empty() {
            return Ok(items.into_iter().filter_map(Result::err).map(Err).collect());
        }
        let started = Instant::now();
        let request = AppendRequest::new(principal.workspace.clone(), drafts);
        let reply = self.log().append(request).await.map_err(|error| self.failed_append(error))?;
        self.metrics().append.observe(started.elapsed());
        let mut results = reply.results.into_iter();
        let missing = || Problem::new(ErrorClass::Internal, "the log did not answer an event");
        let answer = |item: Result<Draft, Problem>| item.and_then(|_| results.next().ok_or_else(missing));
        Ok(items.into_iter().map(answer).collect())
    }

    fn count_judgement(&self, result: &Result<bool, Problem>) {
        let metrics = self.metrics();
        let counter = match result {
            Ok(true) => &metrics.appended,
            Ok(false) => &metrics.duplicates,
            Err(_) => &metrics.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn reused(id: &str) -> Problem {
    let detail = format!("the id {id:.60?} is taken by another event, or changed by others at the same time");
    Problem::new(ErrorClass::Conflict, detail).code("id_reused").hint("send it again, or under another id")
}

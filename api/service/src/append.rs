//! Writing: a body becomes drafts, the log judges and stores them, every item gets its own answer.

mod answer;

use std::sync::atomic::Ordering;
use std::time::Instant;

use partitura_event::{Draft, Expected, Fingerprint, Position, Problem};
use partitura_ingest::{ContentType, Context, Decoded, decode, expected};
use partitura_log::{AppendReply, AppendRequest, ItemResult, LogError, RequestKey, StreamCheck};

use crate::calendar::SETS_CALENDAR;
use crate::principal::Principal;
use crate::service::Service;
pub use answer::AppendBody;
use answer::Slots;

/// Bodies up to this size are read where they arrive.
const INLINE_MAX: usize = 256 << 10;

/// A request to append, as its door received it.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppendCall<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// All headers; the decoder reads `ce-*` ones.
    pub headers: &'a [(&'a str, &'a str)],
    /// The inflated body.
    pub body: &'a [u8],
    /// All or nothing.
    pub atomic: bool,
    /// Refuse unknown fields of `data`.
    pub strict: bool,
    /// `Idempotency-Key`.
    pub request_key: Option<&'a str>,
    /// `If-Match`, for one stream.
    pub if_match: Option<&'a str>,
    /// `If-None-Match`, for one stream.
    pub if_none_match: Option<&'a str>,
}

/// The answer to an append.
#[derive(Clone, Debug)]
pub struct Appended {
    /// HTTP status of the whole.
    pub status: u16,
    /// `{position, results, warnings}`; a problem's members come first when the whole was refused.
    pub body: AppendBody,
    /// It is the stored answer of an earlier request.
    pub replayed: bool,
    /// The log's position.
    pub position: Option<Position>,
}

impl Service {
    /// Appends the events of a body. Events that are refused are answered each, and never half-written.
    #[tracing::instrument(level = "debug", skip_all, fields(workspace = %principal.workspace, bytes = call.body.len()))]
    pub async fn append(&self, principal: &Principal, call: AppendCall<'_>) -> Result<Appended, Problem> {
        self.accepting()?;
        let _pass = self.append_gate().enter().await?;
        let key = call.request_key.map(|key| self.check_key(key)).transpose()?;
        let decoded = match call.body.len() {
            0..=INLINE_MAX => self.decode(principal, &call)?,
            // A large body keeps a thread busy for long: the others must go on meanwhile.
            _ => tokio::task::block_in_place(|| self.decode(principal, &call))?,
        };
        self.metrics().redacted(decoded.redactions.iter().map(|(rule, n)| (rule.as_str(), *n)));
        let (single, mut checks) = (decoded.single, stream_checks(&decoded));
        let (slots, mut drafts) = Slots::of(decoded);
        checks.extend(header_check(&call, &mut drafts, single)?);
        let whole = call.atomic && slots.has_refused();
        if whole {
            // Another item failed already: the log is not asked, so that nothing of it can be stored.
            drafts.clear();
            checks.clear();
        }
        if drafts.is_empty() && checks.is_empty() && key.is_none() {
            self.count_refused(slots.len());
            return Ok(slots.answer(None, call.atomic, single));
        }
        let request =
            key.map(|key| RequestKey { key: key.to_owned(), body: fingerprint(&call), context: slots.to_context() });
        let workspace = principal.workspace.clone();
        let sets_calendar = drafts.iter().any(|draft| draft.kind.as_str() == SETS_CALENDAR);
        let started = Instant::now();
        let request = AppendRequest { workspace, events: drafts, checks, atomic: call.atomic, request };
        let reply = self.log().append(request).await.map_err(|error| self.failed_append(error))?;
        self.metrics().append.observe(started.elapsed());
        self.count(&reply, &slots);
        if sets_calendar {
            self.calendars().set(&principal.workspace, reply.head);
        }
        let slots = match &reply.replayed {
            Some(context) => Slots::from_context(context)?,
            None => slots,
        };
        Ok(slots.answer(Some(reply), call.atomic, single))
    }

    pub(crate) fn failed_append(&self, error: LogError) -> Problem {
        let cannot_go_on = matches!(error, LogError::Poisoned { .. });
        let problem = Problem::from(error);
        if cannot_go_on {
            self.engines().fail(&problem);
        }
        problem
    }

    fn decode(&self, principal: &Principal, call: &AppendCall<'_>) -> Result<Decoded, Problem> {
        let binary = call.headers.iter().any(|(name, _)| matches!(*name, "ce-specversion" | "ce-type"));
        let content = ContentType::parse(call.content_type, binary)?;
        let context = Context {
            workspace: &principal.workspace,
            source: &principal.source,
            now: self.clock().now(),
            ids: self.ids(),
            redactor: self.redactor(),
            limits: self.ingest_limits(),
            strict: call.strict,
            idempotent: call.request_key.is_some(),
        };
        decode(content, call.headers, call.body, &context)
    }

    /// An `Idempotency-Key` is stored as it is, so it may not be a secret that was sent by mistake.
    fn check_key<'k>(&self, key: &'k str) -> Result<&'k str, Problem> {
        partitura_event::id::check_id("Idempotency-Key", key)?;
        if self.redactor().shown(key) != key {
            let detail = "`Idempotency-Key` holds a secret; it was not stored. Choose a key that is safe to show";
            return Err(Problem::invalid_field("Idempotency-Key", "secret_in_id", detail));
        }
        Ok(key)
    }

    fn count(&self, reply: &AppendReply, slots: &Slots) {
        if reply.replayed.is_some() {
            return;
        }
        let number = |wanted: fn(&ItemResult) -> bool| reply.results.iter().filter(|item| wanted(item)).count();
        let new = number(|item| matches!(item, ItemResult::Appended { .. }));
        let old = number(|item| matches!(item, ItemResult::Duplicate { .. }));
        self.metrics().appended.fetch_add(new as u64, Ordering::Relaxed);
        self.metrics().duplicates.fetch_add(old as u64, Ordering::Relaxed);
        self.count_refused(slots.len() - new - old);
        tracing::debug!(new, duplicates = old, refused = slots.len() - new - old, "appended");
    }

    fn count_refused(&self, refused: usize) {
        self.metrics().refused.fetch_add(refused as u64, Ordering::Relaxed);
    }
}

fn stream_checks(decoded: &Decoded) -> Vec<StreamCheck> {
    let checks = decoded.checks.iter();
    checks.map(|check| StreamCheck { stream: check.stream.clone(), expected: check.expected }).collect()
}

/// `If-Match` and `If-None-Match` speak of the one stream that the request writes.
fn header_check(call: &AppendCall<'_>, drafts: &mut [Draft], single: bool) -> Result<Option<StreamCheck>, Problem> {
    let wanted = match (call.if_match, call.if_none_match) {
        (None, None) => return Ok(None),
        (Some(tag), None) => expected::if_match(tag)?,
        (None, Some(tag)) => expected::if_none_match(tag)?,
        (Some(_), Some(_)) => {
            let detail = "send `If-Match` or `If-None-Match`, not both";
            return Err(Problem::invalid_field("If-Match", "contradiction", detail));
        }
    };
    let Some(first) = drafts.first() else { return Ok(None) };
    if drafts.iter().any(|draft| draft.stream != first.stream) {
        let detail = "`If-Match` speaks of one stream, but the events are of several";
        return Err(Problem::invalid_field("If-Match", "several_streams", detail)
            .hint("give each event its `expected_revision`, or send `{\"events\":[…],\"checks\":[…]}`"));
    }
    if single && drafts[0].expected == Expected::Any {
        drafts[0].expected = wanted;
        return Ok(None);
    }
    Ok(Some(StreamCheck { stream: first.stream.clone(), expected: wanted }))
}

/// The answer depends on the body and on how it was to be read.
fn fingerprint(call: &AppendCall<'_>) -> Fingerprint {
    let how = format!("{:?} {} {}\n", call.content_type, call.atomic, call.strict);
    Fingerprint::of(&[how.as_bytes(), call.body].concat())
}

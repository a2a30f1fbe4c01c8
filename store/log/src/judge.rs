//! Decides what becomes of a request, without I/O: the one place that knows the rules.

use partitura_event::{Draft, Expected, Fingerprint, Position, Revision, StreamName, Workspace};

use crate::error::LogError;
use crate::key::{Key, KeyMap};
use crate::reply::{FailedCheck, ItemResult, Refusal};
use crate::request::StreamCheck;

/// What the log knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where the event is.
    pub position: Position,
    /// Where in its stream.
    pub revision: Revision,
    /// Of what the client sent.
    pub fingerprint: Fingerprint,
}

/// What the judge asks about the log before the request.
pub(crate) trait Past {
    /// Returns what has this id.
    fn event(&self, key: Key) -> Result<Option<Known>, LogError>;
    /// Returns a stream's last revision.
    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError>;
}

/// What the judge needs of a draft.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) event: Key,
    pub(crate) stream: Key,
    /// What its stream must look like, with the stream's name for a refusal; most items do not care.
    pub(crate) expected: Option<(StreamName, Expected)>,
    pub(crate) fingerprint: Fingerprint,
}

impl Item {
    /// Hashes the names of `draft`.
    pub(crate) fn of(draft: &Draft) -> Self {
        Self {
            event: Key::event(&draft.workspace, &draft.source, &draft.id),
            stream: Key::stream(&draft.workspace, &draft.stream),
            expected: (draft.expected != Expected::Any).then(|| (draft.stream.clone(), draft.expected)),
            fingerprint: draft.fingerprint,
        }
    }

    /// Hashes the names of all `drafts`, which must be of `workspace`.
    pub(crate) fn all_of(workspace: &Workspace, drafts: &[Draft]) -> Result<Vec<Self>, LogError> {
        match drafts.iter().position(|draft| draft.workspace != *workspace) {
            Some(item) => Err(LogError::ForeignWorkspace { item }),
            None => Ok(drafts.iter().map(Self::of).collect()),
        }
    }
}

/// A request, as the judge sees it.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) items: &'a [Item],
    pub(crate) checks: &'a [StreamCheck],
    pub(crate) atomic: bool,
}

/// An event that will be appended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    /// Its index in the request.
    pub(crate) item: usize,
    pub(crate) known: Known,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) results: Vec<ItemResult>,
    pub(crate) failed_checks: Vec<FailedCheck>,
    /// In order of position, from the position after the head.
    pub(crate) accepted: Vec<Accepted>,
}

/// Judges `case` on top of `past`, whose last position is `head`.
pub(crate) fn judge(past: &impl Past, head: Option<Position>, case: &Case<'_>) -> Result<Verdict, LogError> {
    let mut bench = Bench::new(past, head);
    let mut results = Vec::with_capacity(case.items.len());
    for (index, item) in case.items.iter().enumerate() {
        results.push(bench.judge(index, item)?);
    }
    let mut verdict = Verdict { results, failed_checks: Vec::new(), accepted: bench.accepted };
    if case.items.is_empty() || verdict.results.iter().any(is_new) {
        verdict.failed_checks = failed_checks(past, case)?;
    }
    let refused = case.atomic && verdict.results.iter().any(|result| matches!(result, ItemResult::Refused(_)));
    if refused || !verdict.failed_checks.is_empty() {
        withdraw(&mut verdict, head);
    }
    Ok(verdict)
}

/// Whether the log does not know the item's id yet.
fn is_new(result: &ItemResult) -> bool {
    matches!(result, ItemResult::Appended { .. } | ItemResult::Refused(Refusal::Revision { .. }))
}

/// Takes back all that was accepted, and duplicates of what was accepted.
fn withdraw(verdict: &mut Verdict, head: Option<Position>) {
    verdict.accepted.clear();
    for result in &mut verdict.results {
        let would_be_new = match result {
            ItemResult::Appended { .. } => true,
            ItemResult::Duplicate { position, .. } => Some(*position) > head,
            ItemResult::Refused(_) => false,
        };
        if would_be_new {
            *result = ItemResult::Refused(Refusal::NotApplied);
        }
    }
}

fn failed_checks(past: &impl Past, case: &Case<'_>) -> Result<Vec<FailedCheck>, LogError> {
    let mut failed = Vec::new();
    for (index, check) in case.checks.iter().enumerate() {
        let current = past.revision(Key::stream(case.workspace, &check.stream))?;
        if !holds(check.expected, current) {
            failed.push(FailedCheck { index, stream: check.stream.clone(), expected: check.expected, current });
        }
    }
    Ok(failed)
}

/// Returns whether a stream with this last revision is as expected.
fn holds(expected: Expected, current: Option<Revision>) -> bool {
    match expected {
        Expected::Any => true,
        Expected::None => current.is_none(),
        Expected::Exists => current.is_some(),
        Expected::Exactly(revision) => current == Some(revision),
    }
}

/// Judges items one after the other, each seeing the accepted ones before it.
struct Bench<'a, P> {
    past: &'a P,
    head: Option<Position>,
    accepted: Vec<Accepted>,
    events: KeyMap<Known>,
    streams: KeyMap<Revision>,
}

impl<'a, P: Past> Bench<'a, P> {
    fn new(past: &'a P, head: Option<Position>) -> Self {
        Self { past, head, accepted: Vec::new(), events: KeyMap::default(), streams: KeyMap::default() }
    }

    fn judge(&mut self, index: usize, item: &Item) -> Result<ItemResult, LogError> {
        if let Some(known) = self.known(item.event)? {
            return Ok(repeated(&known, item));
        }
        let current = match self.streams.get(&item.stream) {
            Some(revision) => Some(*revision),
            None => self.past.revision(item.stream)?,
        };
        if let Some((stream, expected)) = &item.expected
            && !holds(*expected, current)
        {
            let (stream, expected) = (stream.clone(), *expected);
            return Ok(ItemResult::Refused(Refusal::Revision { stream, expected, current }));
        }
        let (position, revision) = (Position::after(self.head), Revision::after(current));
        let known = Known { position, revision, fingerprint: item.fingerprint };
        self.head = Some(position);
        self.events.insert(item.event, known);
        self.streams.insert(item.stream, revision);
        self.accepted.push(Accepted { item: index, known });
        Ok(ItemResult::Appended { position, stream_revision: revision })
    }

    fn known(&self, event: Key) -> Result<Option<Known>, LogError> {
        match self.events.get(&event) {
            Some(known) => Ok(Some(*known)),
            None => self.past.event(event),
        }
    }
}

fn repeated(known: &Known, item: &Item) -> ItemResult {
    if known.fingerprint == item.fingerprint {
        ItemResult::Duplicate { position: known.position, stream_revision: known.revision }
    } else {
        ItemResult::Refused(Refusal::IdReused { position: known.position })
    }
}

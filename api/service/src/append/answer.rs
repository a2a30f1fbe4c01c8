//! Puts the answers of decoder and log together, item by item, in the order of the request.

use partitura_event::{Draft, ErrorClass, Expected, Position, Problem, Revision};
use partitura_ingest::{Decoded, Redactions, Warning};
use partitura_log::{AppendReply, FailedCheck, ItemResult, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Appended;
use crate::problem_json::members;

/// What the decoder said of one item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    /// Its id, where one could be read.
    id: Option<String>,
    /// The refusal's members; none for what goes to the log.
    error: Option<Map<String, Value>>,
}

/// All items of a request. Stored with an `Idempotency-Key`, so that its replay knows them too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Slots {
    items: Vec<Slot>,
    warnings: Vec<Value>,
    #[serde(default)]
    redacted: Redactions,
}

impl Slots {
    /// Splits what was decoded into items and the drafts for the log.
    pub(super) fn of(decoded: Decoded) -> (Self, Vec<Draft>) {
        let mut slots = Self { redacted: decoded.redactions, ..Self::default() };
        let mut drafts = Vec::with_capacity(decoded.items.len());
        for item in decoded.items {
            match item {
                Ok(accepted) => {
                    let id = accepted.draft.id.as_str().to_owned();
                    slots.items.push(Slot { id: Some(id), error: None });
                    slots.warnings.extend(accepted.warnings.iter().map(warning));
                    drafts.push(accepted.draft);
                }
                Err(rejected) => {
                    slots.items.push(Slot { id: rejected.id, error: Some(members(&rejected.problem)) });
                }
            }
        }
        (slots, drafts)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn has_refused(&self) -> bool {
        self.items.iter().any(|slot| slot.error.is_some())
    }

    pub(super) fn to_context(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_context(context: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(context).map_err(|error| {
            Problem::new(ErrorClass::Corrupt, format!("the stored answer of this request cannot be read: {error}"))
        })
    }

    /// Makes the whole answer. Without a reply of the log, nothing was appended.
    pub(super) fn answer(self, reply: Option<AppendReply>, atomic: bool, single: bool) -> Appended {
        let replayed = reply.as_ref().is_some_and(|reply| reply.replayed.is_some());
        let position = reply.as_ref().and_then(|reply| reply.head);
        let (logged, failed) = reply.map_or_else(Default::default, |reply| (reply.results, reply.failed_checks));
        let mut logged = logged.into_iter();
        let results: Vec<Item> = self.items.into_iter().map(|slot| Item::of(slot, &mut logged)).collect();
        let whole = whole_failure(&results, &failed, atomic, single);
        let status = whole.as_ref().map_or_else(|| common_status(&results), status_of);
        // A batch whose items all failed alike failed as a whole.
        let alike = || results.first().and_then(|item| item.error.as_ref()).filter(|_| status >= 400).cloned();
        let problem = whole.or_else(alike).unwrap_or_default();
        let (warnings, redacted) = (self.warnings, self.redacted);
        let body = AppendBody { problem, knowledge_id: None, position, results, warnings, redacted };
        Appended { status, body, replayed, position }
    }
}

/// The body of an answer.
#[derive(Clone, Debug, Serialize)]
pub struct AppendBody {
    /// Members of a problem, when the whole was refused.
    #[serde(flatten)]
    problem: Map<String, Value>,
    /// The piece that was noted, for a call about knowledge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
    position: Option<Position>,
    results: Vec<Item>,
    warnings: Vec<Value>,
    /// What was taken out of the events, by rule.
    #[serde(skip_serializing_if = "Redactions::is_empty")]
    redacted: Redactions,
}

impl AppendBody {
    /// Returns how many events are new.
    pub fn appended(&self) -> usize {
        self.results.iter().filter(|item| item.status == 201).count()
    }

    /// Returns the first event that was refused, by its place, and the members of its problem.
    pub fn refused(&self) -> Option<(usize, &Map<String, Value>)> {
        let place = self.results.iter().position(Item::is_cause)?;
        self.results[place].error.as_ref().map(|error| (place, error))
    }
}

/// One entry of `results`.
#[derive(Clone, Debug, Serialize)]
struct Item {
    id: Option<String>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_revision: Option<Revision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Map<String, Value>>,
}

impl Item {
    fn of(slot: Slot, logged: &mut impl Iterator<Item = ItemResult>) -> Self {
        let bare = Self { id: slot.id, status: 0, duplicate: None, position: None, stream_revision: None, error: None };
        if let Some(error) = slot.error {
            return Self { status: status_of(&error), error: Some(error), ..bare };
        }
        match logged.next().unwrap_or(ItemResult::Refused(Refusal::NotApplied)) {
            ItemResult::Appended { position, stream_revision } => {
                Self { status: 201, position: Some(position), stream_revision: Some(stream_revision), ..bare }
            }
            ItemResult::Duplicate { position, stream_revision } => {
                let (position, stream_revision) = (Some(position), Some(stream_revision));
                Self { status: 200, duplicate: Some(true), position, stream_revision, ..bare }
            }
            ItemResult::Refused(refusal) => {
                let problem = refused(&refusal);
                Self { status: problem.class.http(), error: Some(members(&problem)), ..bare }
            }
        }
    }

    fn is_cause(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.get("code") != Some(&json!("not_applied")))
    }
}

/// Returns the problem of the whole request: a failed check, the first cause of an atomic one, or a single event's.
fn whole_failure(items: &[Item], failed: &[FailedCheck], atomic: bool, single: bool) -> Option<Map<String, Value>> {
    if !failed.is_empty() {
        return Some(members(&checks_failed(failed)));
    }
    if !(atomic || single) {
        return None;
    }
    items.iter().find(|item| item.is_cause()).and_then(|item| item.error.clone())
}

/// The status that all items share, else 207.
fn common_status(items: &[Item]) -> u16 {
    let first = items.first().map_or(200, |item| item.status);
    if items.iter().all(|item| item.status == first) { first } else { 207 }
}

fn status_of(problem: &Map<String, Value>) -> u16 {
    problem.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok()).unwrap_or(500)
}

fn warning(warning: &Warning) -> Value {
    json!(warning)
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::IdReused { position } => {
            let detail = format!("the id was used at position {position} with other content");
            Problem::new(ErrorClass::Conflict, detail)
                .code("id_reused")
                .hint("an event never changes: send the new facts as a new event with an id of its own")
        }
        Refusal::Revision { stream, expected, current } => revision(stream.as_str(), *expected, *current),
        Refusal::NotApplied => {
            Problem::new(ErrorClass::Conflict, "nothing is wrong with it, but the request is all or nothing")
                .code("not_applied")
                .hint("mend what the other items or checks say, then send all of it again")
        }
    }
}

fn revision(stream: &str, expected: Expected, current: Option<Revision>) -> Problem {
    let wanted = match expected {
        Expected::Any => "anything".to_owned(),
        Expected::None => "no event".to_owned(),
        Expected::Exists => "an event".to_owned(),
        Expected::Exactly(revision) => format!("revision {revision}"),
    };
    let found = current.map_or_else(|| "no event".to_owned(), |revision| format!("revision {revision}"));
    let detail = format!("the stream `{stream}` has {found}; expected was {wanted}");
    let mut problem = Problem::new(ErrorClass::RevisionMismatch, detail)
        .hint("read the stream from the revision you know, decide again, send with current_revision");
    problem.current_revision = Some(current.map_or(0, Revision::get));
    problem
}

fn checks_failed(failed: &[FailedCheck]) -> Problem {
    let first = &failed[0];
    let mut whole = revision(first.stream.as_str(), first.expected, first.current);
    for check in failed {
        let one = revision(check.stream.as_str(), check.expected, check.current);
        let path = format!("checks[{}]", check.index);
        whole.issues.push(partitura_event::Issue { path, code: one.code.to_owned(), message: one.detail });
    }
    whole
}

//! What a decoder is told, and what it answers.

use partitura_event::{Draft, Expected, Problem, Source, StreamName, Timestamp, Workspace};
use serde::{Deserialize, Serialize};

use crate::generator::IdGenerator;
use crate::limits::Limits;
use crate::redact::{Redactions, Redactor};

/// All that decoding needs besides the bytes.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The tenant, from the key.
    pub workspace: &'a Workspace,
    /// The source of events that name none: the key's stable producer id.
    pub source: &'a Source,
    /// The time of events that carry none.
    pub now: Timestamp,
    /// Ids of events that carry none.
    pub ids: &'a IdGenerator,
    /// Takes secrets out.
    pub redactor: &'a Redactor,
    /// What one body may hold.
    pub limits: Limits,
    /// Refuses unknown fields of `data` instead of warning.
    pub strict: bool,
    /// An `Idempotency-Key` came along, so generated ids are safe to retry and not warned of.
    pub idempotent: bool,
}

/// A condition on a stream that the batch may not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The stream.
    pub stream: StreamName,
    /// What it must look like.
    pub expected: Expected,
}

/// Something the client should know about an event that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Place in the request: `events[3].data.tokns_in`.
    pub path: String,
    /// The known name that was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// A sentence.
    pub message: String,
}

/// An event that can be appended.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The event.
    pub draft: Draft,
    /// What the client should know.
    pub warnings: Vec<Warning>,
}

/// An event that cannot.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// Its id, where one could be read.
    pub id: Option<String>,
    /// Why.
    pub problem: Problem,
}

/// A body, split and checked.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// One per event, in the order of the body.
    pub items: Vec<Result<Accepted, Rejected>>,
    /// Conditions on other streams.
    pub checks: Vec<Check>,
    /// What was taken out of the events, by rule.
    pub redactions: Redactions,
    /// The body was one event, not a list of them.
    pub single: bool,
}

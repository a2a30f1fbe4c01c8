//! The envelope: CloudEvents 1.0 plus stream, actor and causes.
//!
//! A [`Draft`] is a validated event that has no position yet; a [`Recorded`] is what the log made of
//! it. Only the log makes a `Recorded`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{EventId, EventType, Source, StreamName, Workspace};
use crate::payload::Payload;
use crate::position::{Position, Revision};
use crate::time::Timestamp;

/// What the writer expects of the stream at the moment of the append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// No expectation.
    #[default]
    Any,
    /// The stream has no event yet.
    None,
    /// The stream has at least one event.
    Exists,
    /// The stream's last event has this revision.
    Exactly(Revision),
}

/// First 16 bytes of BLAKE3 over the client's canonical fields (sorted keys, no white space) before
/// defaults were filled in: the same id with another fingerprint is a conflict.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Hashes canonical bytes.
    pub fn of(canonical: &[u8]) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::hash(canonical).as_bytes()[..16]);
        Self(short)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A validated event without a position.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The tenant.
    pub workspace: Workspace,
    /// The producer.
    pub source: Source,
    /// The producer's id.
    pub id: EventId,
    /// The kind.
    pub kind: EventType,
    /// What it is about, as the client wrote it.
    pub subject: Option<String>,
    /// The stream it joins.
    pub stream: StreamName,
    /// When it happened, by the client's clock.
    pub time: Timestamp,
    /// Who did it.
    pub actor: Option<String>,
    /// Id of the event that caused it.
    pub causation: Option<String>,
    /// Id shared by all events of one piece of work.
    pub correlation: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The JSON object, compact, as it will be stored (redacted already).
    pub data: Payload,
    /// Of the client's fields.
    pub fingerprint: Fingerprint,
    /// What the stream must look like.
    pub expected: Expected,
}

/// An event in the log.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Place in the log.
    pub position: Position,
    /// Place in its stream.
    pub stream_revision: Revision,
    /// When the log took it; never decreases with `position`.
    pub recorded_at: Timestamp,
    /// The tenant.
    pub workspace: Workspace,
    /// The producer.
    pub source: Source,
    /// The producer's id.
    pub id: EventId,
    /// The kind.
    pub kind: EventType,
    /// What it is about.
    pub subject: Option<String>,
    /// Its stream.
    pub stream: StreamName,
    /// When it happened.
    pub time: Timestamp,
    /// Who did it.
    pub actor: Option<String>,
    /// Id of the event that caused it.
    pub causation: Option<String>,
    /// Id shared by all events of one piece of work.
    pub correlation: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The JSON object.
    pub data: Payload,
}

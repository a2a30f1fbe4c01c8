//! What a writer is told.

use partitura_event::{Expected, Position, Revision, StreamName};

/// The answer to an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendReply {
    /// The log's last position when the request was answered, its own events included.
    pub head: Option<Position>,
    /// One result per event, in the order of the request.
    pub results: Vec<ItemResult>,
    /// The checks that failed. If there is one, nothing was appended.
    pub failed_checks: Vec<FailedCheck>,
    /// The stored context, when this is the stored answer of an earlier request with the same key.
    pub replayed: Option<Vec<u8>>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemResult {
    /// It is in the log now.
    Appended {
        /// Where.
        position: Position,
        /// Where in its stream.
        stream_revision: Revision,
    },
    /// It was in the log before, with the same fingerprint.
    Duplicate {
        /// Where.
        position: Position,
        /// Where in its stream.
        stream_revision: Revision,
    },
    /// It is not in the log.
    Refused(Refusal),
}

/// Why an event was not appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its id was used with other content.
    IdReused {
        /// Where the other event is. In an atomic request that failed this may be another item of
        /// it, then it is where that item would have been.
        position: Position,
    },
    /// Its stream does not look as expected.
    Revision {
        /// The stream.
        stream: StreamName,
        /// What was expected.
        expected: Expected,
        /// The last revision, as this item saw it; `None` if the stream has no event.
        current: Option<Revision>,
    },
    /// Nothing is wrong with it, but another item of the atomic request, or a check, failed.
    NotApplied,
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCheck {
    /// Its index in the request.
    pub index: usize,
    /// The stream.
    pub stream: StreamName,
    /// What was expected.
    pub expected: Expected,
    /// The last revision; `None` if the stream has no event.
    pub current: Option<Revision>,
}

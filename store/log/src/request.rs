//! What a writer asks for.

use partitura_event::{Draft, Expected, Fingerprint, StreamName, Workspace};

/// Events to append to one workspace, and what must be true for that.
#[derive(Clone, Debug)]
pub struct AppendRequest {
    /// The tenant; every event is of it.
    pub workspace: Workspace,
    /// The events, judged in this order.
    pub events: Vec<Draft>,
    /// What must be true of streams before the request, whether it writes to them or not.
    pub checks: Vec<StreamCheck>,
    /// All events or none.
    pub atomic: bool,
    /// Makes the whole request idempotent.
    pub request: Option<RequestKey>,
}

impl AppendRequest {
    /// Asks for `events`, each judged on its own.
    pub const fn new(workspace: Workspace, events: Vec<Draft>) -> Self {
        Self { workspace, events, checks: Vec::new(), atomic: false, request: None }
    }
}

/// An expectation of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamCheck {
    /// The stream.
    pub stream: StreamName,
    /// What it must look like.
    pub expected: Expected,
}

/// The client's `Idempotency-Key` and what is remembered with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The key, unique in its workspace.
    pub key: String,
    /// Hash of the request's body.
    pub body: Fingerprint,
    /// Bytes that the log keeps with its answer and gives back on replay.
    pub context: Vec<u8>,
}

//! The contract of a log, in prose and as a trait.

use std::pin::Pin;

use partitura_event::{EventId, Position, Recorded, Revision, Source, StreamName, Timestamp, Workspace};
use tokio::sync::watch;

use crate::error::LogError;
use crate::reply::AppendReply;
use crate::request::AppendRequest;

/// A boxed future, so that the log can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One append-only log of events over all workspaces.
///
/// **Order.** Positions are dense from 1 over all workspaces; revisions are dense from 1 in each
/// `(workspace, stream)`, by the spelling that a `StreamName` keeps. `recorded_at` never decreases with the
/// position, whatever the clock does. Readers see a prefix: when position `n` is readable, so is
/// every position below `n`, and it reads the same for ever.
///
/// **Durability.** When [`append`](Self::append) returns `Ok`, its events and its request record
/// are on disk. Readers never see an event that is not. When it returns an error, or its future is
/// dropped, the request may or may not have been applied, but as a whole request if it was atomic,
/// and a retry with the same ids or the same request key never applies it twice.
///
/// **What a crash may leave.** All acknowledged events, and possibly requests that were under way:
/// those in the order in which they would have been acknowledged, never one without the ones
/// before it. Nothing half-written is ever read.
///
/// **Idempotency.** `(workspace, source, id)` is taken for ever. The same id again with the same
/// fingerprint is a duplicate and answers the old position; with another fingerprint it is refused.
/// This is decided before expected revisions, so that a retried success never becomes a conflict.
///
/// **Judgement.** Items of a request are judged in order, each seeing the accepted ones before it.
/// An atomic request is applied wholly or not at all, and every item that fails is reported.
/// [`checks`](AppendRequest::checks) look at streams before the request, and guard what would be
/// added: all failing ones are reported and nothing is added. When a request has events and all are
/// known already, nothing would be added and the checks are not asked.
///
/// **Requests.** A request with a [`RequestKey`](crate::RequestKey) is answered once: the same key
/// and body gets the stored answer back, with its context, the same key with another body is
/// [`LogError::KeyReused`]. Refusals are answers too, and stored.
///
/// **Failure.** A full disk is [`LogError::StorageFull`]: nothing was written, and the log goes on
/// when there is space. A failed write or sync poisons the log: it is never tried again, every later
/// append is [`LogError::Poisoned`] until the log is opened anew; what is durable stays readable.
/// Damage that a crash cannot explain is [`LogError::Corrupt`] with segment and offset.
pub trait EventLog: Send + Sync + 'static {
    /// Appends the request's events and returns when they are durable.
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<AppendReply, LogError>>;

    /// Reads events after a position, in order. Blocks on disk reads. Returns at least one event
    /// when there is one, however large it is.
    fn read(&self, after: Option<Position>, limit: ReadLimit) -> Result<Vec<Recorded>, LogError>;

    /// Reads one stream's events after a revision, in order. Blocks on disk reads.
    fn read_stream(
        &self,
        workspace: &Workspace,
        stream: &StreamName,
        after: Option<Revision>,
        limit: ReadLimit,
    ) -> Result<Vec<Recorded>, LogError>;

    /// Returns the revision of a stream's last event, or `None` if it has none.
    fn revision(&self, workspace: &Workspace, stream: &StreamName) -> Result<Option<Revision>, LogError>;

    /// Returns the last durable position.
    fn head(&self) -> Option<Position>;

    /// Follows the last durable position: a tail subscription reads up to it, then waits for a change.
    fn watch(&self) -> watch::Receiver<Option<Position>>;

    /// Returns where the event with this id stands.
    fn find(&self, workspace: &Workspace, source: &Source, id: &EventId) -> Result<Option<Position>, LogError>;

    /// Returns the last position that was recorded at or before `recorded`. The answer for a time
    /// that has passed never changes: later events are recorded later than it.
    fn position_at(&self, recorded: Timestamp) -> Result<Option<Position>, LogError>;

    /// Reads everything and checks it against its checksums, its order and its hash chain.
    fn verify(&self) -> Result<Verified, LogError>;
}

/// How much one read may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Most events.
    pub events: usize,
    /// Most bytes of event data, roughly; one event is returned even if it is larger.
    pub bytes: usize,
}

impl ReadLimit {
    /// At most `events` events, and 8 MiB.
    pub const fn events(events: usize) -> Self {
        Self { events, bytes: 8 << 20 }
    }
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self::events(4_096)
    }
}

/// What a full check went through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Events read.
    pub events: u64,
    /// Frames read: one is written per commit or more.
    pub frames: u64,
    /// Segment files read.
    pub segments: u64,
    /// Bytes of frames read.
    pub bytes: u64,
    /// The last position.
    pub head: Option<Position>,
    /// The last link of the hash chain: equal chains mean equal logs.
    pub chain: [u8; 32],
}

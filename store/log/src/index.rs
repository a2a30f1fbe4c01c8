//! What the log looks up: ids, streams and requests. Never the truth: rebuilt from the log when in doubt.

mod fjall;
mod layer;
mod layers;
#[cfg(feature = "test-util")]
mod memory;

use partitura_event::{Position, Revision};

use crate::error::LogError;
use crate::frame::Hash;
use crate::judge::Known;
use crate::key::Key;

pub use self::fjall::FjallIndex;
pub use layer::Layer;
pub(crate) use layers::Layers;
#[cfg(feature = "test-util")]
pub use memory::MemoryIndex;

/// A store of index entries.
///
/// [`store`](Self::store) is called with one layer after the other, in the order of the log. When it
/// returns, the layer is durable and [`checkpoint`](Self::checkpoint) is the layer's. A crash in the
/// middle may leave any part of the layer with the old checkpoint: the log then stores the same
/// entries again. Look-ups that find nothing where something was stored must fail instead.
pub trait Index: Send + Sync + 'static {
    /// Returns how far the log is stored.
    fn checkpoint(&self) -> Result<Option<Checkpoint>, LogError>;
    /// Returns what has this id.
    fn event(&self, key: Key) -> Result<Option<Known>, LogError>;
    /// Returns a stream's last revision.
    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError>;
    /// Returns at most `limit` positions of a stream, from revision `from` on.
    fn positions(&self, stream: Key, from: Revision, limit: usize) -> Result<Vec<Position>, LogError>;
    /// Returns the stored answer to a request.
    fn answer(&self, request: Key) -> Result<Option<Vec<u8>>, LogError>;
    /// Stores a layer, durably.
    fn store(&self, layer: &Layer, checkpoint: &Checkpoint) -> Result<(), LogError>;
    /// Removes everything, durably.
    fn clear(&self) -> Result<(), LogError>;
    /// Asks for a rebuild at the next opening, because a look-up failed.
    fn distrust(&self);
}

/// A place between two frames of the log, with the hash that proves which log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The segment.
    pub segment: u64,
    /// Where the frame ends in it, in bytes.
    pub offset: u64,
    /// Number of the last frame.
    pub sequence: u64,
    /// Position of the last event; 0 if there is none.
    pub position: u64,
    /// Hash of the last frame.
    pub hash: Hash,
}

impl Checkpoint {
    pub(crate) const BYTES: usize = 64;

    pub(crate) fn encode(&self) -> Vec<u8> {
        use crate::cursor::Put;
        let mut out = Vec::with_capacity(Self::BYTES);
        out.put_u64(self.segment);
        out.put_u64(self.offset);
        out.put_u64(self.sequence);
        out.put_u64(self.position);
        out.put(&self.hash);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = crate::cursor::Cursor(bytes);
        Some(Self {
            segment: rest.u64()?,
            offset: rest.u64()?,
            sequence: rest.u64()?,
            position: rest.u64()?,
            hash: rest.array()?,
        })
    }
}

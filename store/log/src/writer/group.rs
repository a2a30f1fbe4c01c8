//! A commit: requests that are written with one write and one sync.

use std::sync::Arc;

use partitura_event::Timestamp;

use crate::error::LogError;
use crate::frame::Tip;
use crate::index::Layer;
use crate::reply::AppendReply;
use crate::segment::Mark;

use super::submission::Answering;

/// A commit on its way to the disk.
pub(crate) struct Group {
    /// Counts up.
    pub(crate) number: u64,
    /// The state of the log that it was judged on; it is refused when that is no longer so.
    pub(crate) epoch: u64,
    /// Whole frames.
    pub(crate) bytes: Vec<u8>,
    /// Where each frame starts in `bytes`.
    pub(crate) frames: Vec<Mark>,
    /// When its events were recorded; `None` as long as it has no frame.
    pub(crate) recorded_at: Option<Timestamp>,
    /// The log's end before and after it.
    pub(crate) before: Tip,
    pub(crate) after: Tip,
    /// What the index gets.
    pub(crate) layer: Arc<Layer>,
    /// Answers to give once it is durable.
    pub(crate) replies: Vec<(Answering, Result<AppendReply, LogError>)>,
}

impl Group {
    /// Answers all requests.
    pub(crate) fn answer(self) {
        for (answering, reply) in self.replies {
            // A caller that went away loses its answer, not its events.
            let _ = answering.send(reply);
        }
    }

    /// Answers all requests with an error.
    pub(crate) fn refuse(self, error: &LogError) {
        for (answering, _) in self.replies {
            let _ = answering.send(Err(error.clone()));
        }
    }
}

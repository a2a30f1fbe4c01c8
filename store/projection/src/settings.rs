//! What a user may tweak about the projector.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Settings of a [`Projector`](crate::Projector). Plain data: print it, compare it, load it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectorSettings {
    /// Most events of one batch.
    pub batch_events: usize,
    /// Most bytes of event data of one batch, roughly.
    pub batch_bytes: usize,
    /// Entities kept in memory between batches.
    pub entities: NonZeroUsize,
    /// Pause after a failure; doubles up to 32 times this.
    pub retry_after: Duration,
    /// Parked events that [`Progress`](crate::Progress) lists; all are in `parked_events`.
    pub parked_listed: usize,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self {
            batch_events: 4_096,
            batch_bytes: 4 << 20,
            entities: NonZeroUsize::MIN.saturating_add(16_383),
            retry_after: Duration::from_millis(100),
            parked_listed: 100,
        }
    }
}

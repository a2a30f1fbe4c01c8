//! [`Stamp`]: the place of an event in the one order that all folds use.
//!
//! `(time, lifecycle rank, source, id)` is total over the events of a workspace, because `(source, id)`
//! is unique, and says nothing about when an event arrived. Whatever the order of arrival, the order of
//! stamps is the same; that is why the tables are the same.

use std::sync::Arc;

use partitura_event::Recorded;

/// Order of an event among all events of its workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Microseconds since 1970, by the client's clock.
    pub time: i64,
    /// Place of the kind in the life of its entity: decides between events of the same microsecond.
    pub rank: u8,
    /// The producer.
    pub source: Box<str>,
    /// The producer's id.
    pub id: Box<str>,
}

impl Stamp {
    /// Makes the stamp of an event.
    pub fn of(event: &Recorded) -> Arc<Self> {
        Arc::new(Self {
            time: event.time.micros(),
            rank: lifecycle_rank(event.kind.as_str()),
            source: event.source.as_str().into(),
            id: event.id.as_str().into(),
        })
    }
}

/// Returns where a kind stands in the life of its entity, as the vocabulary says. Frozen: another rank
/// would change the fold of events that are tied in time. Unknown kinds are in no fold.
pub fn lifecycle_rank(kind: &str) -> u8 {
    partitura_event::kind::find(kind).map_or(u8::MAX, |spec| spec.lifecycle_rank)
}

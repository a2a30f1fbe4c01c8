//! Ids for events that come without one: UUIDv7, so that they sort by the time of their arrival.

use partitura_event::{EventId, Problem, Timestamp};
use uuid::Builder;

/// Makes ids out of a time and random bytes, both given from outside.
pub struct IdGenerator {
    random: Box<dyn Fn() -> [u8; 10] + Send + Sync>,
}

impl IdGenerator {
    /// Takes the source of randomness.
    pub fn new(random: impl Fn() -> [u8; 10] + Send + Sync + 'static) -> Self {
        Self { random: Box::new(random) }
    }

    /// Draws from the generator of the thread, which the operating system seeds.
    pub fn system() -> Self {
        Self::new(rand::random)
    }

    /// Returns a new id.
    pub(crate) fn next(&self, now: Timestamp) -> Result<EventId, Problem> {
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        EventId::new(Builder::from_unix_timestamp_millis(millis, &(self.random)()).into_uuid().to_string())
    }
}

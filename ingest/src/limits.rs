//! What one request may hold, so that no input costs more memory than its own size times a small number.

/// Deepest nesting of arrays and objects in one value.
pub const MAX_DEPTH: usize = 128;

/// Limits of one request, after inflation. All can be set, except [`MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one event as it was sent.
    pub event_bytes: usize,
    /// Bytes of the whole body.
    pub batch_bytes: usize,
    /// Events in one body.
    pub events: usize,
    /// Members of one JSON object.
    pub keys_per_object: usize,
    /// JSON values (of any kind, nested ones included) in one event.
    pub values_per_event: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: 1 << 20,
            batch_bytes: 8 << 20,
            events: 10_000,
            keys_per_object: 10_000,
            values_per_event: 50_000,
        }
    }
}

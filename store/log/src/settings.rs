//! What a user may tune.

use std::time::Duration;

/// Settings of a [`SegmentLog`](crate::SegmentLog). The defaults serve one machine with one disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Size of a segment file, in bytes. A larger commit gets a larger segment.
    pub segment_bytes: u64,
    /// A commit takes no more requests above this many bytes.
    pub commit_bytes: usize,
    /// A commit takes no more requests above this many events.
    pub commit_events: usize,
    /// How long a commit waits for requests that are likely to come.
    pub commit_wait: Duration,
    /// A frame takes no more requests above this many bytes: what one look-up has to read.
    pub frame_bytes: usize,
    /// Requests that may wait.
    pub queue_requests: usize,
    /// Bytes of requests that may wait; one larger request is taken when nothing waits.
    pub queue_bytes: usize,
    /// What a refused writer is told to wait.
    pub retry_after: Duration,
    /// Event data of this many bytes and more is compressed.
    pub compress_from_bytes: usize,
    /// The head file is written at least this often while events come in.
    pub head_every: Duration,
    /// The head file is written after this many commits.
    pub head_commits: u64,
    /// Entries that are kept in memory before the index stores them.
    pub index_events: usize,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            commit_bytes: 4 << 20,
            commit_events: 4_096,
            commit_wait: Duration::from_millis(2),
            frame_bytes: 256 << 10,
            queue_requests: 4_096,
            queue_bytes: 64 << 20,
            retry_after: Duration::from_millis(200),
            compress_from_bytes: 2 << 10,
            head_every: Duration::from_secs(1),
            head_commits: 1_024,
            index_events: 1 << 16,
        }
    }
}

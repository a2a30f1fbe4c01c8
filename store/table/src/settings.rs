//! What a user may tweak about the tables, and the switches that tests use to break them.

use std::time::Duration;

/// Settings of a [`TableStore`](crate::TableStore). Plain data: print it, compare it, load it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSettings {
    /// Rows in the hot tail, of all tables together, that start a flush.
    pub flush_rows: usize,
    /// Bytes in the hot tail that start a flush.
    pub flush_bytes: usize,
    /// Age of the oldest row in the hot tail that starts a flush.
    pub flush_after: Duration,
    /// `apply` waits while the tail holds more than this many times `flush_rows` or `flush_bytes`.
    pub backlog_factor: usize,
    /// Bytes of table metadata kept in memory.
    pub metadata_cache_bytes: usize,
    /// Bytes of index pages kept in memory.
    pub index_cache_bytes: usize,
    /// Bytes of fold states kept in memory.
    pub state_cache_bytes: usize,
    /// Fragments smaller than the target that start a compaction.
    pub compact_fragments: usize,
    /// Rows that a compacted fragment should have.
    pub fragment_rows: usize,
    /// Old table versions are kept this long; one that a snapshot or a query reads is kept anyway.
    pub keep_versions: Duration,
    /// Whether maintenance runs by itself after a flush.
    pub maintain: bool,
    /// Pause after a failed flush; doubles up to sixteen times this.
    pub retry_after: Duration,
}

impl Default for TableSettings {
    fn default() -> Self {
        Self {
            flush_rows: 50_000,
            flush_bytes: 8 << 20,
            flush_after: Duration::from_secs(5),
            backlog_factor: 8,
            metadata_cache_bytes: 64 << 20,
            index_cache_bytes: 256 << 20,
            state_cache_bytes: 32 << 20,
            compact_fragments: 32,
            fragment_rows: 1 << 20,
            keep_versions: Duration::from_secs(60),
            maintain: true,
            retry_after: Duration::from_secs(1),
        }
    }
}

impl TableSettings {
    /// Returns the settings for tables that nobody reads until they are complete: written seldom, in large
    /// pieces, and compacted later by the store that takes them over.
    #[must_use]
    pub fn while_building(self) -> Self {
        Self {
            flush_rows: self.flush_rows.max(BUILDING_ROWS),
            flush_bytes: self.flush_bytes.max(BUILDING_BYTES),
            flush_after: BUILDING_AGE,
            backlog_factor: 1,
            maintain: false,
            ..self
        }
    }
}

const BUILDING_ROWS: usize = 1 << 18;
const BUILDING_BYTES: usize = 48 << 20;
const BUILDING_AGE: Duration = Duration::from_secs(3600);

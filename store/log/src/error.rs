//! How the log fails, in the few ways that a caller handles differently.

use std::time::Duration;

use partitura_event::{ErrorClass, Position, Problem};

/// A failure of the log. Cloned to every request of a commit that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The queue is full. Nothing was appended; try again later.
    #[error("the append queue is full")]
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The disk is full. Nothing was appended; the log goes on when there is space.
    #[error("no space for the log: {detail}")]
    StorageFull {
        /// What the disk said.
        detail: String,
    },
    /// A write or a sync failed before, so that nobody knows what is on disk. Open the log anew.
    #[error("the log stopped after a failed write: {detail}")]
    Poisoned {
        /// The first failure.
        detail: String,
    },
    /// Stored bytes are not what was written. Restore from a backup.
    #[error("the log is damaged at byte {offset} of {segment}: {detail}")]
    Corrupt {
        /// The file.
        segment: String,
        /// Where in the file, in bytes.
        offset: u64,
        /// What does not hold.
        detail: String,
    },
    /// The files have a format that this version does not read.
    #[error("{file} has log format {found}; this version reads format {supported}")]
    Format {
        /// The file.
        file: String,
        /// Its format.
        found: u32,
        /// What this version reads.
        supported: u32,
    },
    /// An event's data was sealed by a later version. It is sound, and so is the rest of the log.
    #[error("the data of the event at position {position} is sealed, which this version cannot open")]
    Sealed {
        /// The event.
        position: Position,
    },
    /// The request key was used with another body. Nothing was appended.
    #[error("idempotency key `{key}` was used before with another body")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// The request is over a limit. Nothing was appended.
    #[error("{what} has {bytes} bytes; at most {limit} are allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// An event names another workspace than its request. Nothing was appended.
    #[error("item {item} is of another workspace than its request")]
    ForeignWorkspace {
        /// Index of the event.
        item: usize,
    },
    /// The log was closed. Nothing was appended.
    #[error("the log is closed")]
    Closed,
    /// A file could not be read or opened; nothing was changed.
    #[error("{what}: {detail}")]
    Io {
        /// What was tried, with the file's name.
        what: String,
        /// What the system said.
        detail: String,
    },
    /// The index could not be read or written. It is rebuilt from the log at the next start.
    #[error("log index: {detail}")]
    Index {
        /// What the index said.
        detail: String,
    },
}

impl LogError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Busy { .. } => ErrorClass::Busy,
            Self::StorageFull { .. } => ErrorClass::StorageFull,
            Self::Poisoned { .. } | Self::Closed | Self::Io { .. } | Self::Index { .. } => ErrorClass::Unavailable,
            Self::Corrupt { .. } | Self::Format { .. } | Self::Sealed { .. } => ErrorClass::Corrupt,
            Self::KeyReused { .. } => ErrorClass::Conflict,
            Self::TooLarge { .. } => ErrorClass::TooLarge,
            Self::ForeignWorkspace { .. } => ErrorClass::Internal,
        }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        let problem = Self::new(error.class(), error.to_string());
        match error {
            LogError::Busy { retry_after } => {
                problem.retry_after(retry_after).hint("wait, or send larger batches less often")
            }
            LogError::StorageFull { .. } => {
                problem.hint("nothing was written; free space, then send it again (no restart is needed)")
            }
            LogError::Poisoned { .. } => {
                problem.code("log_poisoned").hint("check the disk, then restart; acknowledged events are safe")
            }
            LogError::Corrupt { .. } => {
                problem.hint("run `partitura verify`, then restore the log from a backup; do not edit its files")
            }
            LogError::Format { .. } => problem.code("log_format").hint("use the version that wrote this data folder"),
            LogError::Sealed { .. } => problem.code("sealed").hint("use the version that wrote this event"),
            LogError::KeyReused { .. } => {
                problem.code("idempotency_key_reused").hint("use a new Idempotency-Key for a new request")
            }
            LogError::Closed => problem.code("shutting_down").retry_after(Duration::from_secs(1)),
            _ => problem,
        }
    }
}

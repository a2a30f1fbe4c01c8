//! What came of the newest attempts: for people, so kept without a sync, within a size.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use parking_lot::Mutex;
use partitura_event::{Position, Timestamp};
use serde::{Deserialize, Serialize};

/// Attempts of one webhook that are shown.
const KEPT: usize = 500;
/// Bytes of a file before it becomes the old one.
const FILE_BYTES_MAX: u64 = 512 << 10;

/// One attempt to post one event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// `webhook-id` of the message: the same for every attempt.
    pub message_id: String,
    /// The event.
    pub position: Position,
    /// Which attempt it was.
    pub attempt: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// Whether the receiver took it.
    pub delivered: bool,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// How the answer began, when it failed.
    pub answer: Option<String>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
}

/// The newest attempts of one webhook.
pub struct Attempts {
    path: PathBuf,
    newest: Mutex<Newest>,
}

#[derive(Default)]
struct Newest {
    attempts: VecDeque<Attempt>,
    /// Once removed, nothing more is written: an attempt may still be under way.
    is_removed: bool,
}

impl Attempts {
    /// Reads what an earlier run left; what cannot be read is left out.
    pub fn open(path: PathBuf) -> Self {
        let mut newest = Newest::default();
        for path in [path.with_extension("old"), path.clone()] {
            let Ok(file) = fs::File::open(&path) else { continue };
            for line in BufReader::new(file).lines().map_while(Result::ok) {
                if let Ok(attempt) = serde_json::from_str(&line) {
                    newest.push(attempt);
                }
            }
        }
        Self { path, newest: Mutex::new(newest) }
    }

    /// Adds one. A disk that cannot take it loses the note, not the event.
    pub fn add(&self, attempt: Attempt) {
        let mut newest = self.newest.lock();
        if newest.is_removed {
            return;
        }
        if let Err(error) = self.write(&attempt) {
            tracing::debug!(%error, path = %self.path.display(), "an attempt of a webhook is not noted down");
        }
        newest.push(attempt);
    }

    /// Returns the newest ones first, at most `limit`.
    pub fn newest(&self, limit: usize) -> Vec<Attempt> {
        self.newest.lock().attempts.iter().rev().take(limit).cloned().collect()
    }

    /// Removes what was noted down, and notes nothing down any more.
    pub fn remove(&self) {
        let mut newest = self.newest.lock();
        newest.is_removed = true;
        for path in [self.path.with_extension("old"), self.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "the notes of a webhook cannot be removed");
                }
                _ => {}
            }
        }
    }

    fn write(&self, attempt: &Attempt) -> std::io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|file| file.len() > FILE_BYTES_MAX) {
            fs::rename(&self.path, self.path.with_extension("old"))?;
        }
        let mut line = serde_json::to_vec(attempt)?;
        line.push(b'\n');
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?.write_all(&line)
    }
}

impl Newest {
    fn push(&mut self, attempt: Attempt) {
        if self.attempts.len() == KEPT {
            self.attempts.pop_front();
        }
        self.attempts.push_back(attempt);
    }
}

//! The bounded queue between callers and the writer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::error::LogError;

use super::submission::Submission;

/// Requests that wait for the writer, and whether the disk is busy.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    requests_max: usize,
    bytes_max: usize,
    retry_after: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Submission>,
    bytes: usize,
    closed: bool,
    /// Commits that were handed to the tail and are not finished.
    committing: usize,
    /// When the last of them finished.
    idle_since: Option<Instant>,
    /// Requests of the commit that is with the tail.
    committed: usize,
    /// Requests that were taken for the next commit.
    taken: usize,
    /// Requests that the next commit waits for: those that waited when the disk became idle, and as
    /// many as were answered then.
    expected: usize,
}

/// What the writer finds.
pub(crate) enum Taken {
    /// The next request.
    Submission(Box<Submission>),
    /// No request, and it is time to commit what was gathered.
    Commit,
    /// The queue is closed and empty.
    Closed,
}

impl Queue {
    pub(crate) fn new(requests_max: usize, bytes_max: usize, retry_after: Duration) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), requests_max, bytes_max, retry_after }
    }

    /// Puts a request at the end, unless the queue is full or closed.
    pub(crate) fn push(&self, submission: Submission) -> Result<(), LogError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(LogError::Closed);
        }
        let bytes = submission.bytes();
        let full = state.waiting.len() >= self.requests_max || state.bytes + bytes > self.bytes_max;
        if full && !state.waiting.is_empty() {
            return Err(LogError::Busy { retry_after: self.retry_after });
        }
        state.bytes += bytes;
        state.waiting.push_back(submission);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next request.
    pub(crate) fn take(&self) -> Taken {
        let mut state = self.state.lock();
        loop {
            if let Some(submission) = state.pop() {
                return Taken::Submission(submission);
            }
            if state.closed {
                return Taken::Closed;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Waits for a request that joins the taken ones: as long as the disk is busy anyway, and then for up to `patience` while those whose answers just went out may come again. Without
    /// that, writers would fall into two camps that take turns, each with half a commit.
    pub(crate) fn take_more(&self, patience: Duration) -> Taken {
        let mut state = self.state.lock();
        loop {
            if let Some(submission) = state.pop() {
                return Taken::Submission(submission);
            }
            if state.closed {
                return Taken::Commit;
            }
            if state.committing > 0 {
                self.changed.wait(&mut state);
                continue;
            }
            let until = state.idle_since.map(|since| since + patience);
            match until {
                Some(until) if state.taken < state.expected && Instant::now() < until => {
                    self.changed.wait_until(&mut state, until);
                }
                _ => return Taken::Commit,
            }
        }
    }

    /// Notes that a commit of so many requests was handed to the tail.
    pub(crate) fn begin_commit(&self, requests: usize) {
        let mut state = self.state.lock();
        state.committing += 1;
        state.committed = requests;
        state.taken = 0;
    }

    /// Notes that a commit is finished.
    pub(crate) fn end_commit(&self) {
        let mut state = self.state.lock();
        state.committing -= 1;
        state.idle_since = Some(Instant::now());
        state.expected = state.committed + state.taken + state.waiting.len();
        self.changed.notify_all();
    }

    /// Takes no more requests; those that wait are still served.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

impl State {
    fn pop(&mut self) -> Option<Box<Submission>> {
        let submission = self.waiting.pop_front()?;
        self.bytes -= submission.bytes();
        self.taken += 1;
        Some(Box::new(submission))
    }
}

//! Says when events are recorded: never earlier than before, and never at a time already answered for.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use partitura_event::Timestamp;

/// The times of commits.
pub(crate) struct Recording {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    /// No event is recorded earlier than this from now on.
    floor: Timestamp,
    /// Commits that are not finished, with their times.
    open: VecDeque<(u64, Timestamp)>,
}

impl Recording {
    /// Starts after an event that was recorded at `last`.
    pub(crate) fn new(last: Timestamp) -> Self {
        Self { state: Mutex::new(State { floor: last, open: VecDeque::new() }), ended: Condvar::new() }
    }

    /// Returns the time of commit `group`, given what the clock says.
    pub(crate) fn begin(&self, group: u64, now: Timestamp) -> Timestamp {
        let mut state = self.state.lock();
        let time = state.floor.max(now);
        state.floor = time;
        state.open.push_back((group, time));
        time
    }

    /// Notes that a commit is durable, or never will be.
    pub(crate) fn end(&self, group: u64) {
        self.state.lock().open.retain(|(open, _)| *open != group);
        self.ended.notify_all();
    }

    /// Waits until all commits up to `time` are finished, and lets none begin up to it any more.
    /// What has not passed at `now` is not waited for.
    pub(crate) fn settle(&self, time: Timestamp, now: Timestamp) {
        let time = time.min(now);
        let mut state = self.state.lock();
        let next = Timestamp::from_micros(time.micros() + 1).unwrap_or(Timestamp::MAX);
        state.floor = state.floor.max(next);
        while state.open.iter().any(|(_, open)| *open <= time) {
            self.ended.wait(&mut state);
        }
    }
}

//! The session that a query of the Postgres door belongs to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

/// Who asks, and how their session is set.
#[derive(Clone, Default)]
pub struct PgSession {
    /// The role's name: what the client calls itself.
    pub user: String,
    /// Number of the session, by which it is cancelled.
    pub pid: i32,
    /// Settings by name in small letters, as `current_setting` tells them.
    pub settings: Arc<BTreeMap<String, String>>,
    /// Where `set_config` leaves what it was told; none when a query is only planned.
    pub written: Option<Written>,
}

impl fmt::Debug for PgSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgSession").field("user", &self.user).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Settings that a query wrote, in order.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<(String, String)>>>);

impl Written {
    pub(super) fn push(&self, name: String, value: String) {
        self.0.lock().push((name, value));
    }

    /// Returns what was written since the last time.
    pub fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock())
    }
}

//! Which tables a query reads, views opened: it needs to be asked again only when one of them has moved.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use partitura_table::schema::HISTORY_SUFFIX;

/// Names of stored tables, and of `system.` ones. Complete when the query's stream has ended.
#[derive(Clone, Debug, Default)]
pub struct Reads(Arc<Mutex<BTreeSet<String>>>);

impl Reads {
    /// Notes a stored table; its closed versions move with it.
    pub(crate) fn table(&self, name: &str) {
        self.0.lock().insert(name.strip_suffix(HISTORY_SUFFIX).unwrap_or(name).to_owned());
    }

    /// Notes a table of the engine about itself.
    pub(crate) fn system(&self, name: &str) {
        self.0.lock().insert(format!("system.{name}"));
    }

    /// Returns the names.
    pub fn names(&self) -> BTreeSet<String> {
        self.0.lock().clone()
    }
}

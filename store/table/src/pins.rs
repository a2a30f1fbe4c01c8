//! Which versions of Lance tables somebody may still read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use crate::lance_table::LanceTable;

/// The versions that were published, as long as a snapshot or a running query holds them.
#[derive(Default)]
pub(crate) struct Pins {
    tables: HashMap<String, Vec<Weak<LanceTable>>>,
}

impl Pins {
    /// Follows a version.
    pub fn watch(&mut self, table: &Arc<LanceTable>) {
        let versions = self.tables.entry(table.path().to_owned()).or_default();
        versions.retain(|version| version.strong_count() > 0);
        versions.push(Arc::downgrade(table));
    }

    /// Returns whether somebody reads a version in this folder.
    pub fn holds(&self, path: &str) -> bool {
        self.tables.get(path).is_some_and(|versions| versions.iter().any(|version| version.strong_count() > 0))
    }

    /// Returns the folders that hold no version that anybody reads, apart from those in `committed`.
    pub fn unread(&mut self, committed: &BTreeMap<&str, u64>) -> Vec<String> {
        let dead = |versions: &Vec<Weak<LanceTable>>| versions.iter().all(|version| version.strong_count() == 0);
        let names =
            self.tables.iter().filter(|(path, versions)| !committed.contains_key(path.as_str()) && dead(versions));
        let names: Vec<String> = names.map(|(path, _)| path.clone()).collect();
        for name in &names {
            self.tables.remove(name);
        }
        names
    }

    /// Returns the oldest version of the table that is still held.
    pub fn oldest(&mut self, path: &str) -> Option<u64> {
        let versions = self.tables.get_mut(path)?;
        versions.retain(|version| version.strong_count() > 0);
        versions.iter().filter_map(|version| version.upgrade()).map(|table| table.version()).min()
    }
}

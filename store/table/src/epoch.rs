//! What is on disk and what is in memory of every table, between two flushes.
//!
//! An epoch is immutable except for its live tails, which only grow. A flush, a compaction or a new
//! table makes another epoch; snapshots keep theirs alive, and with it the files they read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use partitura_event::{Position, Workspace};

use crate::lance_table::LanceTable;
use crate::schema::TableSpec;
use crate::tail::{ClosedRows, Tail};

/// One table of one workspace.
#[derive(Clone, Debug)]
pub(crate) struct TableState {
    pub spec: &'static TableSpec,
    /// Rows in Lance: of a keyed table the versions that were current at the checkpoint.
    pub current: Option<Arc<LanceTable>>,
    /// Versions in Lance that were closed at the checkpoint.
    pub history: Option<Arc<LanceTable>>,
    /// The tail that is being flushed, if any, then the live one.
    pub tails: Vec<Arc<Tail>>,
}

impl TableState {
    /// Describes a table without rows.
    pub fn empty(spec: &'static TableSpec) -> Self {
        Self { spec, current: None, history: None, tails: vec![Arc::default()] }
    }

    /// Returns the tail that takes new rows.
    pub fn live(&self) -> &Arc<Tail> {
        &self.tails[self.tails.len() - 1]
    }

    /// Returns the rows that are closed for a reader at `end`.
    pub fn closed(&self, end: u64) -> ClosedRows {
        ClosedRows::new(&self.tails, end)
    }
}

/// The tables of one workspace, by name.
pub(crate) type Tables = BTreeMap<&'static str, Arc<TableState>>;

/// All tables of all workspaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epoch {
    /// Everything up to here is in Lance.
    pub checkpoint: Option<Position>,
    pub workspaces: HashMap<Workspace, Arc<Tables>>,
}

impl Epoch {
    /// Returns the table, if it has ever had a row.
    pub fn table(&self, workspace: &Workspace, name: &str) -> Option<&Arc<TableState>> {
        self.workspaces.get(workspace)?.get(name)
    }

    /// Replaces a table.
    pub fn put(&mut self, workspace: &Workspace, state: TableState) {
        let tables = self.workspaces.entry(workspace.clone()).or_default();
        Arc::make_mut(tables).insert(state.spec.name, Arc::new(state));
    }

    /// Returns every table with its workspace.
    pub fn iter(&self) -> impl Iterator<Item = (&Workspace, &Arc<TableState>)> {
        self.workspaces.iter().flat_map(|(workspace, tables)| tables.values().map(move |state| (workspace, state)))
    }
}

//! What `system.tables` and `system.fragments` show.

use partitura_event::{Position, Workspace};

use crate::epoch::TableState;
use crate::lance_table::LanceTable;

/// One table of one workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct TableStatus {
    /// The tenant.
    pub workspace: Workspace,
    /// Name of the table.
    pub table: &'static str,
    /// Rows that `SELECT count(*)` gives.
    pub rows: u64,
    /// Closed versions, for a keyed table.
    pub history_rows: u64,
    /// Rows in memory, not yet in files.
    pub tail_rows: u64,
    /// Bytes of these.
    pub tail_bytes: u64,
    /// Files of the current rows, if there are any.
    pub files: Option<FileStatus>,
    /// Files of the closed versions, if there are any.
    pub history_files: Option<FileStatus>,
}

/// One Lance table.
#[derive(Clone, Debug, PartialEq)]
pub struct FileStatus {
    /// Folder, relative to the tables' folder.
    pub path: String,
    /// Lance version.
    pub version: u64,
    /// Fragments, in order.
    pub fragments: Vec<FragmentStatus>,
}

/// One fragment of a Lance table.
#[derive(Clone, Debug, PartialEq)]
pub struct FragmentStatus {
    /// Number.
    pub id: u64,
    /// Rows, the deleted ones not counted.
    pub rows: u64,
    /// Rows that are deleted but still lie in the file.
    pub deleted: u64,
    /// Bytes of the data files.
    pub bytes: u64,
}

/// The whole store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreStatus {
    /// Rows up to here are visible.
    pub position: Option<Position>,
    /// Rows up to here are in files, durably.
    pub checkpoint: Option<Position>,
    /// Rows in memory only.
    pub tail_rows: u64,
    /// Bytes of these.
    pub tail_bytes: u64,
    /// Flushes that succeeded since the store was opened.
    pub flushes: u64,
    /// Why the last flush failed, if it did.
    pub flush_error: Option<String>,
    /// Compactions and clean-ups since the store was opened.
    pub maintenances: u64,
    /// Why the last of them failed, if it did.
    pub maintenance_error: Option<String>,
}

pub(crate) fn status_of(workspace: &Workspace, state: &TableState, end: u64) -> TableStatus {
    let stored = state.current.as_deref().map_or(0, LanceTable::rows);
    let seen = |tail: &crate::tail::Tail| {
        tail.chunks(end).map_or(0, |chunks| chunks.iter().map(|c| c.num_rows() as u64).sum())
    };
    let tail_rows: u64 = state.tails.iter().map(|tail| seen(tail)).sum();
    let closed = state.closed(end).list(|_| true).len() as u64;
    TableStatus {
        workspace: workspace.clone(),
        table: state.spec.name,
        rows: (stored + tail_rows).saturating_sub(closed),
        history_rows: state.history.as_deref().map_or(0, LanceTable::rows) + closed,
        tail_rows,
        tail_bytes: state.tails.iter().map(|tail| tail.bytes() as u64).sum(),
        files: state.current.as_deref().map(LanceTable::status),
        history_files: state.history.as_deref().map(LanceTable::status),
    }
}

//! [`Snapshot`]: all tables at one position, for as long as somebody holds it.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use partitura_event::{Position, Workspace};

use crate::epoch::{Epoch, TableState};
use crate::provider::{Part, SnapshotTable, Visibility};
use crate::schema::{HISTORY_SUFFIX, Shape, TableSpec};
use crate::status::{TableStatus, status_of};

/// All tables of all workspaces, as they were when `position` had been applied.
///
/// Immutable, and cheap to make: it shares everything with its neighbours. It keeps the versions of
/// the files it reads from being cleaned up, so drop it when the query is done.
#[derive(Debug)]
pub struct Snapshot {
    position: Option<Position>,
    epoch: Arc<Epoch>,
    specs: &'static [&'static TableSpec],
}

impl Snapshot {
    pub(crate) fn new(
        position: Option<Position>,
        epoch: Arc<Epoch>,
        specs: &'static [&'static TableSpec],
    ) -> Arc<Self> {
        Arc::new(Self { position, epoch, specs })
    }

    /// Returns the position of the last event that is applied.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns the position up to which rows are in files; what follows is in memory.
    pub fn checkpoint(&self) -> Option<Position> {
        self.epoch.checkpoint
    }

    /// Returns the workspaces that have a row in some table, sorted.
    pub fn workspaces(&self) -> Vec<Workspace> {
        let mut names: Vec<_> = self.epoch.workspaces.keys().cloned().collect();
        names.sort();
        names
    }

    /// Returns the specs of all tables, also of those without rows.
    pub fn specs(&self) -> &'static [&'static TableSpec] {
        self.specs
    }

    /// Returns a table as SQL sees it: `name` is that of a spec, or of a keyed one with `_history`.
    ///
    /// A table without rows is empty, not absent; `None` is the answer to an unknown name. With
    /// `as_of`, it is the table as it was at that position (at most that of the snapshot).
    pub fn table(&self, workspace: &Workspace, name: &str, as_of: Option<Position>) -> Option<Arc<dyn TableProvider>> {
        self.provider(workspace, name, as_of, Visibility::Public)
    }

    /// Returns whether a workspace has or had a row in the table of this name.
    pub fn has_rows(&self, workspace: &Workspace, name: &str) -> bool {
        self.epoch.table(workspace, name).is_some()
    }

    /// Returns a table with its hidden columns, for search and projections.
    pub fn table_internal(
        &self,
        workspace: &Workspace,
        name: &str,
        as_of: Option<Position>,
    ) -> Option<Arc<dyn TableProvider>> {
        self.provider(workspace, name, as_of, Visibility::Internal)
    }

    /// Describes every table that has or had rows, sorted by workspace and name.
    pub fn status(&self) -> Vec<TableStatus> {
        let end = self.position.map_or(0, Position::get);
        let mut all: Vec<_> = self.epoch.iter().map(|(workspace, state)| status_of(workspace, state, end)).collect();
        all.sort_by(|a, b| (&a.workspace, a.table).cmp(&(&b.workspace, b.table)));
        all
    }

    pub(crate) fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }

    fn provider(
        &self,
        workspace: &Workspace,
        name: &str,
        as_of: Option<Position>,
        visibility: Visibility,
    ) -> Option<Arc<dyn TableProvider>> {
        let (spec, part) = self.find(name)?;
        let state = self.epoch.table(workspace, spec.name).cloned();
        let state = state.unwrap_or_else(|| Arc::new(TableState::empty(spec)));
        let end = as_of.map_or(self.position, |as_of| self.position.map(|position| position.min(as_of)));
        let checkpoint = self.epoch.checkpoint.map_or(0, Position::get);
        let table = SnapshotTable::new(state, part, visibility, end.map_or(0, Position::get), checkpoint);
        Some(Arc::new(table))
    }

    fn find(&self, name: &str) -> Option<(&'static TableSpec, Part)> {
        let find = |name: &str| self.specs.iter().find(|spec| spec.name == name).copied();
        if let Some(spec) = find(name) {
            return Some((spec, Part::Rows));
        }
        let spec = find(name.strip_suffix(HISTORY_SUFFIX)?)?;
        (spec.shape == Shape::Keyed).then_some((spec, Part::Closed))
    }
}

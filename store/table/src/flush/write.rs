//! Writing the frozen rows of each table as its next Lance version.

use std::sync::Arc;

use futures::StreamExt;
use partitura_event::{Problem, Workspace};

use super::{Flusher, Frozen, rows};
use crate::epoch::TableState;
use crate::fault;
use crate::fault_point::FaultPoint;
use crate::files::table_path;
use crate::lance_table::LanceTable;
use crate::store::TableStore;

/// Tables that are written at once.
const TABLES_AT_ONCE: usize = 4;

impl TableStore {
    /// Writes the frozen rows of all tables, a few tables at once.
    pub(super) async fn write_all(
        &self,
        flusher: &mut Flusher,
        frozen: &Frozen,
    ) -> Result<Vec<(Workspace, TableState)>, Problem> {
        let Some(me) = self.me.upgrade() else { return Ok(Vec::new()) };
        let mut writes = Vec::with_capacity(frozen.tables.len());
        for (workspace, state) in &frozen.tables {
            let folders = NewFolders::of(flusher, workspace, state);
            let (store, workspace, state) = (me.clone(), workspace.clone(), state.clone());
            let checkpoint = frozen.checkpoint;
            writes.push(async move {
                let written = store.write(folders, &state, checkpoint).await?;
                Ok((workspace, written))
            });
        }
        let writes = futures::stream::iter(writes).map(tokio::spawn).buffered(TABLES_AT_ONCE);
        // All of them end before the failure of one is answered, because what was written is removed then.
        let ended: Vec<_> = writes.collect().await;
        ended.into_iter().map(|end| end.map_err(|error| fault::internal("a flush was interrupted", error))?).collect()
    }

    async fn write(&self, folders: NewFolders, state: &TableState, checkpoint: u64) -> Result<TableState, Problem> {
        let rows = rows::collect(state, checkpoint).await?;
        let mut next = TableState { tails: Vec::new(), ..state.clone() };
        let spec = state.spec;
        if !rows.closed.is_empty() {
            next.history = Some(Arc::new(match &state.history {
                Some(history) => history.replace(&[], rows.closed).await?,
                None => {
                    let schema = spec.stored_history_schema();
                    LanceTable::create(&self.files, &folders.history, &schema, rows.closed).await?
                }
            }));
            self.faults.visit(FaultPoint::AfterHistory)?;
        }
        if !rows.current.is_empty() || !rows.deleted.is_empty() {
            next.current = Some(Arc::new(match &state.current {
                Some(current) => current.replace(&rows.deleted, rows.current).await?,
                None => {
                    let schema = spec.stored_schema();
                    LanceTable::create(&self.files, &folders.current, &schema, rows.current).await?
                }
            }));
            self.faults.visit(FaultPoint::AfterTable)?;
        }
        Ok(next)
    }
}

/// Where a table will lie if it has no files yet.
struct NewFolders {
    current: String,
    history: String,
}

impl NewFolders {
    fn of(flusher: &mut Flusher, workspace: &Workspace, state: &TableState) -> Self {
        let mut path = |known: bool, name: &str| match known {
            true => String::new(),
            false => table_path(workspace, name, flusher.generation()),
        };
        let history = state.spec.history_name();
        Self {
            current: path(state.current.is_some(), state.spec.name),
            history: path(state.history.is_some() || history.is_none(), &history.unwrap_or_default()),
        }
    }
}

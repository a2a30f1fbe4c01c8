//! Rebuilt tables in place of the old ones, at one position, without a moment in between.

use std::fs;
use std::sync::Arc;

use partitura_event::{ErrorClass, Position, Problem, Workspace};

use crate::durable::list_files;
use crate::epoch::{Epoch, TableState};
use crate::fault;
use crate::files::table_path;
use crate::flush::{Flusher, lance_tables};
use crate::lance_table::LanceTable;
use crate::schema::TableSpec;
use crate::store::TableStore;
use crate::store::apply::Writer;

impl TableStore {
    /// Takes tables from another store, of a folder beside this one, in place of its own.
    ///
    /// Both stores must have applied the same events, and nothing may be applied to either meanwhile.
    /// Snapshots that exist go on reading the old tables, whose files are removed when nobody reads
    /// them. The other store must not be used afterwards; its folder can be removed.
    ///
    /// After a crash the old tables are there, or the new ones, never some of each.
    pub async fn adopt(&self, next: &Self, tables: &[&str]) -> Result<(), Problem> {
        let specs = self.named(tables)?;
        let Some(next) = next.me.upgrade() else { return Ok(()) };
        self.uncancelled(|store| async move { store.adopt_now(&next, &specs).await }).await
    }

    async fn adopt_now(&self, next: &Self, specs: &[&'static TableSpec]) -> Result<(), Problem> {
        self.flush().await?;
        next.flush().await?;
        let mut flusher = self.flusher.lock().await;
        let mut writer = self.writer.lock().await;
        let (here, there) = (self.snapshot(), next.snapshot());
        if here.checkpoint() != there.checkpoint() || here.position() != here.checkpoint() {
            let at = |position: Option<Position>| position.map_or(0, Position::get);
            let (here, there) = (at(here.position()), at(there.checkpoint()));
            let detail = format!("rebuilt tables at position {there} cannot replace tables at position {here}");
            return Err(Problem::new(ErrorClass::Internal, detail));
        }
        let mut epoch = Epoch::clone(here.epoch());
        let mut taken = Vec::new();
        for (workspace, state) in here.epoch().iter().chain(there.epoch().iter()) {
            if specs.iter().any(|spec| spec.name == state.spec.name) {
                epoch.put(workspace, TableState::empty(state.spec));
            }
        }
        for (workspace, state) in there.epoch().iter() {
            if specs.iter().any(|spec| spec.name == state.spec.name) {
                let moved = self.take_files(&mut flusher, next, workspace, state).await?;
                taken.extend(lance_tables(&moved));
                epoch.put(workspace, moved);
            }
        }
        if let Err(problem) = self.commit(&mut flusher, &epoch, &taken).await {
            self.roll_back(&flusher).await;
            return Err(problem);
        }
        for table in taken {
            flusher.pins.watch(&table);
        }
        *writer = Writer::new(self.settings.state_cache_bytes);
        self.publish(here.position(), Arc::new(epoch));
        Ok(())
    }

    fn named(&self, tables: &[&str]) -> Result<Vec<&'static TableSpec>, Problem> {
        let find = |name: &&str| {
            let known = || self.specs.iter().map(|spec| spec.name);
            let unknown = || Problem::new(ErrorClass::NotFound, format!("there is no base table {name}"));
            let spec = self.specs.iter().find(|spec| spec.name == *name).copied();
            spec.ok_or_else(|| unknown().suggest(name, known()))
        };
        tables.iter().map(find).collect()
    }

    async fn take_files(
        &self,
        flusher: &mut Flusher,
        next: &Self,
        workspace: &Workspace,
        state: &TableState,
    ) -> Result<TableState, Problem> {
        let mut moved = TableState::empty(state.spec);
        if let Some(current) = &state.current {
            moved.current = Some(self.take_table(flusher, next, workspace, state.spec.name, current).await?);
        }
        if let (Some(history), Some(name)) = (&state.history, state.spec.history_name()) {
            moved.history = Some(self.take_table(flusher, next, workspace, &name, history).await?);
        }
        Ok(moved)
    }

    async fn take_table(
        &self,
        flusher: &mut Flusher,
        next: &Self,
        workspace: &Workspace,
        name: &str,
        table: &LanceTable,
    ) -> Result<Arc<LanceTable>, Problem> {
        let path = table_path(workspace, name, flusher.generation());
        let (from, to) = (next.files.full(table.path()), self.files.full(&path));
        let folder = self.files.full(workspace.as_str());
        fs::create_dir_all(&folder).map_err(|error| fault::file("cannot create", &folder, &error))?;
        fs::rename(&from, &to).map_err(|error| fault::file("cannot move", &from, &error))?;
        // The other store has synced them, and a rename keeps that.
        Arc::make_mut(&mut flusher.synced).extend(list_files(&to)?);
        Ok(Arc::new(LanceTable::open(&self.files, &path, table.version()).await?))
    }
}

//! The queries that run now: listed in `system.queries`, counted against the limit, cancelled by id.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use partitura_event::{ErrorClass, Position, Problem, Timestamp, Workspace};

use crate::stop::Stop;
use crate::stream::StatsHandle;

/// One running query.
#[derive(Clone, Debug)]
pub struct RunningQuery {
    /// The caller's name for it.
    pub query_id: String,
    /// Whose it is.
    pub workspace: Workspace,
    /// Its text, shortened.
    pub sql: String,
    /// When it was accepted.
    pub started_at: Timestamp,
    /// The position it is answered at.
    pub position: Option<Position>,
    /// Its numbers so far.
    pub stats: StatsHandle,
}

struct Entry {
    query: RunningQuery,
    stop: Arc<Stop>,
}

/// All running queries of all workspaces.
#[derive(Clone, Default)]
pub(crate) struct Running {
    entries: Arc<Mutex<HashMap<(Workspace, String), Entry>>>,
}

impl Running {
    /// Enters a query. Errors when its id runs already or `limit` queries do.
    pub fn enter(&self, query: RunningQuery, stop: Arc<Stop>, limit: usize) -> Result<Ticket, Problem> {
        let key = (query.workspace.clone(), query.query_id.clone());
        let mut entries = self.entries.lock();
        if entries.contains_key(&key) {
            let detail = format!("a query with the id `{}` is running", query.query_id);
            return Err(Problem::new(ErrorClass::Conflict, detail).code("query_id_in_use").hint("choose another id"));
        }
        if entries.len() >= limit {
            return Err(Problem::new(ErrorClass::Busy, format!("{limit} queries are running, which is the limit"))
                .code("too_many_queries")
                .retry_after(Duration::from_secs(1)));
        }
        entries.insert(key.clone(), Entry { query, stop });
        Ok(Ticket { running: self.clone(), key })
    }

    /// Cancels a query of `workspace`; errors when none with that id runs there.
    pub fn cancel(&self, workspace: &Workspace, query_id: &str) -> Result<(), Problem> {
        match self.entries.lock().get(&(workspace.clone(), query_id.to_owned())) {
            Some(entry) => {
                entry.stop.cancel();
                Ok(())
            }
            None => Err(Problem::new(ErrorClass::NotFound, format!("no query with the id `{query_id}` is running"))
                .code("query_not_found")),
        }
    }

    /// Lists the queries of `workspace`, oldest first.
    pub fn list(&self, workspace: &Workspace) -> Vec<RunningQuery> {
        let entries = self.entries.lock();
        let mut list: Vec<_> =
            entries.values().filter(|e| &e.query.workspace == workspace).map(|e| e.query.clone()).collect();
        list.sort_by(|a, b| (a.started_at, &a.query_id).cmp(&(b.started_at, &b.query_id)));
        list
    }
}

/// A query's place in the list, given back when dropped.
pub(crate) struct Ticket {
    running: Running,
    key: (Workspace, String),
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.running.entries.lock().remove(&self.key);
    }
}

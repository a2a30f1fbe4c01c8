//! Exports that the server does by itself: which there are, when each is due, and what became of it.
//!
//! What is to be done stands in `partitura.toml`, because it names folders and buckets that only the operator may
//! choose. What was done is kept in the data folder, so that a restart neither repeats nor forgets an export. The
//! clock is the service's; who carries exports out asks what is due and tells how it went.

mod spec;
mod state;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use partitura_event::{ErrorClass, Position, Problem, Timestamp, Workspace};
use partitura_query::SqlLimits;
use serde::Serialize;
use tokio::sync::Notify;

pub use spec::ExportSpec;
pub use state::{ExportDone, ExportState};
pub(crate) use table::ExportsTable;

use crate::durable_file;
use crate::folder::unwritable;
use crate::key_calls::operators_only;
use crate::principal::{Principal, Scope};
use crate::service::Service;
use crate::sql::{SqlAnswer, SqlCall};

/// All scheduled exports of a server.
pub struct Exports {
    specs: Vec<ExportSpec>,
    file: PathBuf,
    states: Mutex<BTreeMap<String, ExportState>>,
    asked: Notify,
}

/// A scheduled export as users see it.
#[derive(Clone, Debug, Serialize)]
pub struct ExportShown {
    /// What is to be done.
    #[serde(flatten)]
    pub spec: ExportSpec,
    /// `waiting`, `running` or `retrying`.
    pub status: &'static str,
    /// When it is due next.
    pub next_run_at: Option<Timestamp>,
    /// What was done.
    #[serde(flatten)]
    pub state: ExportState,
}

impl Exports {
    /// Takes what is to be done, and reads what was done before.
    pub(crate) fn open(file: PathBuf, specs: Vec<ExportSpec>) -> Result<Self, Problem> {
        let mut known: BTreeMap<String, ExportState> = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let detail = format!("{} is not what the server wrote: {error}", file.display());
                Problem::new(ErrorClass::Corrupt, detail).hint("remove it: every scheduled export then runs at once")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(unwritable(&file, &error)),
        };
        spec::check(&specs)?;
        let states = specs.iter().map(|spec| (spec.name.clone(), known.remove(&spec.name).unwrap_or_default()));
        let states = Mutex::new(states.map(|(name, state)| (name, state.after_restart())).collect());
        Ok(Self { specs, file, states, asked: Notify::new() })
    }

    /// Returns whether there is nothing to do, ever.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// Returns an export that is due, and marks it as running; the one that has waited longest first.
    pub fn begin_due(&self, now: Timestamp) -> Option<ExportSpec> {
        let mut states = self.states.lock();
        let due = |spec: &&ExportSpec| states.get(&spec.name).and_then(|state| state.due(spec.every, now));
        let spec =
            self.specs.iter().filter(|spec| due(spec).is_some_and(|at| at <= now)).min_by_key(|spec| due(spec))?;
        states.entry(spec.name.clone()).or_default().begin(now);
        Some(spec.clone())
    }

    /// Returns when the next one is due.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let states = self.states.lock();
        self.specs.iter().filter_map(|spec| states.get(&spec.name)?.due(spec.every, now)).min()
    }

    /// Tells how a running export ended.
    pub fn end(&self, name: &str, now: Timestamp, outcome: Result<ExportDone, &Problem>) -> Result<(), Problem> {
        let mut states = self.states.lock();
        if let Some(state) = states.get_mut(name) {
            state.end(now, outcome);
        }
        let bytes = serde_json::to_vec_pretty(&*states).unwrap_or_default();
        durable_file::replace(&self.file, &bytes).map_err(|error| unwritable(&self.file, &error))
    }

    /// Waits until somebody asks for an export out of turn.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Returns the exports of a workspace.
    pub fn of(&self, workspace: &Workspace, now: Timestamp) -> Vec<ExportShown> {
        let states = self.states.lock();
        let own = self.specs.iter().filter(|spec| spec.workspace == *workspace);
        let shown = own.map(|spec| {
            let state = states.get(&spec.name).cloned().unwrap_or_default();
            let next_run_at = state.due(spec.every, now);
            ExportShown { spec: spec.clone(), status: state.status(), next_run_at, state }
        });
        shown.collect()
    }

    /// Returns every export with what was done, for the metrics.
    pub(crate) fn all(&self) -> Vec<(String, ExportState)> {
        let states = self.states.lock();
        states.iter().map(|(name, state)| (name.clone(), state.clone())).collect()
    }
}

impl Service {
    /// Lists the scheduled exports of the caller's workspace.
    pub fn list_exports(&self, principal: &Principal) -> Vec<ExportShown> {
        self.exports().of(&principal.workspace, self.now())
    }

    /// Lets a scheduled export of the caller's workspace run now; one that runs already goes on.
    pub fn run_export(&self, principal: &Principal, name: &str) -> Result<ExportShown, Problem> {
        principal.require(Scope::Admin)?;
        if !principal.is_operator() {
            return Err(operators_only("an export to where the operator chose"));
        }
        self.accepting()?;
        let now = self.now();
        let own = self.exports().of(&principal.workspace, now);
        let Some(found) = own.iter().find(|export| export.spec.name == name) else {
            return Err(Problem::new(ErrorClass::NotFound, format!("there is no export `{name:.80}`"))
                .code("unknown_export")
                .suggest(name, own.iter().map(|export| export.spec.name.as_str()))
                .hint("exports stand as [[exports]] in partitura.toml; GET /v1/exports lists them"));
        };
        if let Some(state) = self.exports().states.lock().get_mut(&found.spec.name) {
            state.ask(now);
        }
        self.exports().asked.notify_one();
        let mut again = self.exports().of(&principal.workspace, now);
        let at = again.iter().position(|export| export.spec.name == name);
        at.map(|at| again.swap_remove(at)).ok_or_else(|| Problem::new(ErrorClass::NotFound, "the export is gone"))
    }

    /// Returns all rows of a query of the server's own, for an export: without limits of rows and bytes.
    pub async fn export_rows(
        &self,
        workspace: &Workspace,
        sql: String,
        as_of: Option<Position>,
    ) -> Result<SqlAnswer, Problem> {
        let settings = self.settings();
        let memory = usize::try_from(settings.query_memory_max).unwrap_or(usize::MAX);
        let limits =
            SqlLimits { rows: SqlLimits::WHOLE, bytes: SqlLimits::WHOLE, memory, time: settings.query_timeout_max };
        let mut call = SqlCall { sql, ..SqlCall::default() };
        call.at.as_of = as_of.map(crate::read_at::AsOf::Position);
        self.sql_within(&Self::own_principal(workspace.clone()), call, limits).await
    }
}

/// First pause after a failure; it doubles with each one.
const PAUSE_MIN: Duration = Duration::from_secs(15);
/// Longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// Shared by the service and the table of `system`.
pub(crate) type SharedExports = Arc<Exports>;

#[cfg(test)]
mod tests;

//! [`TextFollower`]: keeps the text indexes behind the tables by some hundred milliseconds.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use datafusion::logical_expr::{col, lit};
use partitura_event::{Position, Problem, Workspace};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::rows;
use super::store::{SearchSpace, SearchStore};
use super::turns::Turns;
use crate::schema::{POS, POS_TO};
use crate::snapshot::Snapshot;
use crate::store::TableStore;

/// Pause after an error.
const RETRY: Duration = Duration::from_secs(2);
/// A workspace without new documents for this long lets go of its writer's memory.
const REST: Duration = Duration::from_secs(60);

/// Follows `documents` of all workspaces.
pub struct TextFollower {
    tables: Arc<TableStore>,
    store: Arc<SearchStore>,
    followed: Mutex<BTreeMap<Workspace, Followed>>,
    last_error: parking_lot::Mutex<Option<String>>,
}

/// One workspace that is followed.
struct Followed {
    space: Arc<SearchSpace>,
    turns: Turns,
    /// When documents last came; `None` once its writer rests.
    busy: Option<Instant>,
}

impl TextFollower {
    /// Follows `tables` with the indexes of `store`.
    pub fn new(tables: Arc<TableStore>, store: Arc<SearchStore>) -> Self {
        Self { tables, store, followed: Mutex::default(), last_error: parking_lot::Mutex::default() }
    }

    /// Returns the failure that is being retried.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }

    /// Follows until `shutdown`. Errors are logged and tried again.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let follow = async {
            let mut applied = self.tables.watch();
            loop {
                if let Err(problem) = self.step().await {
                    tracing::error!(error = %problem, "text indexes cannot follow; trying again");
                    *self.last_error.lock() = Some(problem.to_string());
                    sleep(RETRY).await;
                    continue;
                }
                *self.last_error.lock() = None;
                sleep(self.store.settings().interval).await;
                if self.tables.snapshot().position() == self.store.position() {
                    // Nothing new: wait for it, but come back to let writers rest.
                    let _ = tokio::time::timeout(REST, applied.changed()).await;
                }
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = follow => {}
        }
    }

    /// Brings all text indexes to the position of the newest snapshot.
    pub async fn step(&self) -> Result<(), Problem> {
        let mut followed = self.followed.lock().await;
        let snapshot = self.tables.snapshot();
        let Some(target) = snapshot.position() else { return Ok(()) };
        let mut all = true;
        for workspace in snapshot.workspaces() {
            if !followed.contains_key(&workspace) {
                let Some(space) = self.begin(&snapshot, &workspace).await? else {
                    all = false;
                    continue;
                };
                let turns = Turns::new(self.store.settings().turns);
                followed.insert(workspace.clone(), Followed { space, turns, busy: None });
            }
            let Some(one) = followed.get_mut(&workspace) else { continue };
            self.catch_up(&snapshot, &workspace, one, target).await?;
        }
        if all {
            self.store.reached(target);
        }
        Ok(())
    }

    /// Opens the indexes of a workspace and tells them what replaced their versions. `None` while the tables are
    /// behind the index, as they are after a crash until the log is replayed: what they lack may replace something.
    async fn begin(&self, snapshot: &Snapshot, workspace: &Workspace) -> Result<Option<Arc<SearchSpace>>, Problem> {
        let space = self.store.open_space(workspace)?;
        if let Some(done) = space.text.view().position() {
            if snapshot.position() < Some(done) {
                return Ok(None);
            }
            let closings = rows::closings(snapshot, workspace, col(POS_TO).lt_eq(lit(done.get()))).await?;
            space.text.commit(done, &[], &closings)?;
        }
        self.store.admit(workspace, space.clone());
        Ok(Some(space))
    }

    async fn catch_up(
        &self,
        snapshot: &Snapshot,
        workspace: &Workspace,
        one: &mut Followed,
        target: Position,
    ) -> Result<(), Problem> {
        loop {
            let done = one.space.text.view().position();
            let from = done.map_or(0, Position::get);
            if from >= target.get() {
                break;
            }
            let to = from.saturating_add(self.store.settings().positions).min(target.get());
            let to = Position::new(to).unwrap_or(target);
            let within = |column: &str| col(column).gt(lit(from)).and(col(column).lt_eq(lit(to.get())));
            let mut documents = rows::versions(snapshot, workspace, &within(POS)).await?;
            let closings = rows::closings(snapshot, workspace, within(POS_TO)).await?;
            one.turns.fill(&one.space.text.view(), &mut documents)?;
            if !documents.is_empty() {
                one.busy = Some(Instant::now());
            }
            let space = one.space.clone();
            let commit = move || space.text.commit(to, &documents, &closings);
            tokio::task::spawn_blocking(commit).await.map_err(|error| crate::fault::internal("search", error))??;
        }
        if one.busy.is_some_and(|busy| busy.elapsed() > REST) {
            one.busy = None;
            let space = one.space.clone();
            let rest = move || space.text.rest();
            tokio::task::spawn_blocking(rest).await.map_err(|error| crate::fault::internal("search", error))?;
        }
        Ok(())
    }
}

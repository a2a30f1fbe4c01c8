//! [`Projector`]: the one loop that makes tables of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use partitura_event::{Clock, ErrorClass, Position, Problem, Recorded, Workspace};
use partitura_log::{EventLog, ReadLimit};
use partitura_table::{Delta, TableStore};
use tokio::runtime::Handle;

use crate::batch::{self, Folded};
use crate::builtin;
use crate::entity::Entity;
use crate::fold::Projection;
use crate::parked::Parked;
use crate::progress::Progress;
use crate::settings::ProjectorSettings;
use crate::states::{EntityId, States};

/// Follows the log: reads a batch, folds it, applies the rows, and waits for more.
///
/// One batch is one call of [`TableStore::apply`], so all tables move together. The loop waits where the
/// store does (a full hot tail), and so never holds more than one batch.
#[derive(Clone)]
pub struct Projector {
    pub(crate) inner: Arc<Inner>,
}

/// When the loop goes on.
enum Next {
    AtOnce,
    WhenTheLogMoves,
    After(Duration),
}

/// What a projector is made of.
pub(crate) struct Inner {
    pub log: Arc<dyn EventLog>,
    pub store: Arc<TableStore>,
    clock: Arc<dyn Clock>,
    pub projections: &'static [Box<dyn Projection>],
    /// Names of the folds' tables.
    folds: BTreeSet<&'static str>,
    pub settings: ProjectorSettings,
    /// Only the one step that is under way holds it, or a rebuild that puts its tables in place.
    pub states: Mutex<States>,
    pub told: Mutex<Progress>,
    /// Held by the one rebuild that is under way.
    pub rebuilding: Mutex<()>,
}

impl Projector {
    /// Makes the projector of the folds that ship. The clock is for the reported lag only.
    pub fn new(
        log: Arc<dyn EventLog>,
        store: Arc<TableStore>,
        clock: Arc<dyn Clock>,
        settings: ProjectorSettings,
    ) -> Self {
        Self::with_projections(log, store, clock, settings, builtin::all())
    }

    /// Makes the projector of other folds.
    pub fn with_projections(
        log: Arc<dyn EventLog>,
        store: Arc<TableStore>,
        clock: Arc<dyn Clock>,
        settings: ProjectorSettings,
        projections: &'static [Box<dyn Projection>],
    ) -> Self {
        let states = Mutex::new(States::new(settings.entities));
        let folds = projections.iter().map(|fold| fold.table().name).collect();
        let (told, rebuilding) = (Mutex::default(), Mutex::default());
        let inner = Inner { log, store, clock, projections, folds, settings, states, told, rebuilding };
        Self { inner: Arc::new(inner) }
    }

    /// Follows the log until `shutdown` is ready; ends between two batches. A failure is kept in
    /// [`progress`](Self::progress), logged and retried.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut heads = self.inner.log.watch();
        let mut failures = 0_u32;
        loop {
            heads.borrow_and_update();
            let next = match self.step().await {
                Ok(more) => {
                    failures = 0;
                    if more { Next::AtOnce } else { Next::WhenTheLogMoves }
                }
                Err(problem) => {
                    tracing::error!(error = %problem, "projection failed; it is tried again");
                    self.inner.told.lock().last_error = Some(problem.to_string());
                    failures += 1;
                    Next::After(self.inner.settings.retry_after * (1 << failures.saturating_sub(1).min(5)))
                }
            };
            let waited = async {
                match next {
                    Next::AtOnce => {}
                    Next::After(pause) => tokio::time::sleep(pause).await,
                    Next::WhenTheLogMoves => {
                        if heads.changed().await.is_err() {
                            std::future::pending::<()>().await;
                        }
                    }
                }
            };
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = waited => {}
            }
        }
    }

    /// Applies one batch. Returns whether there was anything to apply.
    pub async fn step(&self) -> Result<bool, Problem> {
        let (inner, handle) = (self.inner.clone(), Handle::current());
        let step = tokio::task::spawn_blocking(move || inner.step(&handle));
        step.await.map_err(|error| Problem::new(ErrorClass::Internal, format!("a projection step ended: {error}")))?
    }

    /// Applies all that is in the log now.
    pub async fn catch_up(&self) -> Result<(), Problem> {
        while self.step().await? {}
        Ok(())
    }

    /// Returns how far the tables follow.
    pub fn progress(&self) -> Progress {
        let inner = &self.inner;
        let mut progress = inner.told.lock().clone();
        progress.head = inner.log.head();
        progress.applied = inner.store.snapshot().position();
        progress.durable = inner.store.position();
        if progress.lag_events() > 0
            && let Some(recorded) = progress.applied_recorded_at
        {
            let micros = inner.clock.now().micros().saturating_sub(recorded.micros());
            progress.lag = Duration::from_micros(u64::try_from(micros).unwrap_or_default());
        }
        progress
    }

    /// Waits until `position` is visible in the tables. Errors with class `Timeout` and the lag.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), Problem> {
        let mut published = self.inner.store.watch();
        let reached = published.wait_for(|published| *published >= Some(position));
        if let Ok(Ok(_)) = tokio::time::timeout(timeout, reached).await {
            return Ok(());
        }
        let progress = self.progress();
        let at = |position: Option<Position>| position.map_or(0, Position::get);
        let waited = timeout.as_millis();
        let problem = Problem::new(
            ErrorClass::Timeout,
            format!(
                "position {position} is not visible after {waited} ms: the tables are at {}, the log at {} ({} events wait)",
                at(progress.applied),
                at(progress.head),
                progress.lag_events(),
            ),
        );
        Err(match (&progress.last_error, progress.head < Some(position)) {
            (_, true) => {
                problem.code("position_unknown").hint("no event has this position yet; use one that a write answered")
            }
            (Some(error), _) => problem.code("projection_failing").hint(format!("the projection is failing: {error}")),
            (None, _) => problem.code("projection_lag").hint("wait longer with wait_ms, or read without min_position"),
        })
    }
}

impl Inner {
    /// Reads, folds and applies one batch. Runs on a thread that may block.
    fn step(&self, handle: &Handle) -> Result<bool, Problem> {
        let mut states = self.states.lock();
        let after = self.store.snapshot().position();
        let limit = ReadLimit { events: self.settings.batch_events, bytes: self.settings.batch_bytes };
        let events = self.log.read(after, limit).map_err(Problem::from)?;
        let Some(last) = events.last() else { return Ok(false) };
        let _in_span = tracing::debug_span!("project", events = events.len(), to = last.position.get()).entered();
        let folded = handle.block_on(fold_all(self.projections, &self.folds, &self.store, &mut states, &events))?;
        let (deltas, entities, parked) = folded;
        if let Err(problem) = handle.block_on(self.store.apply(last.position, deltas)) {
            states.clear();
            return Err(problem);
        }
        for (workspace, entities) in entities {
            states.give_back(&workspace, entities);
        }
        self.tell(&events, last, parked);
        tracing::debug!("projected");
        Ok(true)
    }

    fn tell(&self, events: &[Recorded], last: &Recorded, parked: Vec<Parked>) {
        let mut told = self.told.lock();
        told.last_error = None;
        told.applied_recorded_at = Some(last.recorded_at);
        told.events += events.len() as u64;
        for event in parked {
            tracing::warn!(
                position = event.position.get(),
                projection = event.projection,
                r#type = event.kind,
                code = event.code,
                error = event.error,
                "event parked"
            );
            told.parked += 1;
            told.latest_parked.push_back(event);
            if told.latest_parked.len() > self.settings.parked_listed {
                told.latest_parked.pop_front();
            }
        }
    }
}

/// Rows, entities and parked events of a batch.
pub(crate) type All = (Vec<(Workspace, Vec<Delta>)>, Vec<(Workspace, Vec<(EntityId, Entity)>)>, Vec<Parked>);

/// Folds a batch of all workspaces, each by itself.
pub(crate) async fn fold_all(
    projections: &'static [Box<dyn Projection>],
    chosen: &BTreeSet<&'static str>,
    store: &TableStore,
    states: &mut States,
    events: &[Recorded],
) -> Result<All, Problem> {
    let mut grouped: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
    for event in events {
        grouped.entry(event.workspace.as_str()).or_default().push(event);
    }
    let mut all = All::default();
    for events in grouped.values() {
        let workspace = &events[0].workspace;
        let Folded { deltas, parked, entities } =
            batch::fold(projections, chosen, store, states, workspace, events).await?;
        all.0.push((workspace.clone(), deltas));
        all.1.push((workspace.clone(), entities));
        all.2.extend(parked);
    }
    Ok(all)
}

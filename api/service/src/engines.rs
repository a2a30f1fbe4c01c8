//! What the service is made of: log, tables, projector and SQL engine, opened in order and closed in reverse.

mod followers;
mod ranking;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use partitura_event::{Clock, ErrorClass, Problem};
use partitura_log::{EventLog, LogSettings, SegmentLog};
use partitura_projection::{Projector, ProjectorSettings, RebuildProgress, RebuildRequest, Rebuilt};
use partitura_query::{Engine, EngineSettings, SqlModel, SystemTable};
use partitura_table::schema::BASE_TABLES;
use partitura_table::{TableSettings, TableStore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exports::{ExportsTable, SharedExports};
use crate::folder::Folder;
use crate::health::Part;
use crate::live::feed::Feed;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::subscriptions::registry::Registry;
use crate::subscriptions::subscription::Ground;
use crate::system;
use crate::webhooks::registry::{Means, Webhooks};
use followers::Projections;
use ranking::Ranking;

/// The running parts.
pub struct Engines {
    segments: Arc<SegmentLog>,
    log: Arc<dyn EventLog>,
    store: Arc<TableStore>,
    projector: Projector,
    ranking: Arc<Ranking>,
    engine: Engine,
    feed: Arc<Feed>,
    subscriptions: Arc<Registry>,
    webhooks: Arc<Webhooks>,
    scratch: PathBuf,
    rebuilding: TableSettings,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    failure: Mutex<Option<Problem>>,
}

impl Engines {
    /// Opens everything in the folder.
    pub async fn open(
        folder: &Folder,
        settings: &Settings,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        exports: &SharedExports,
    ) -> Result<Self, Problem> {
        let segments = open_log(folder, clock).await?;
        let log: Arc<dyn EventLog> = Arc::clone(&segments) as _;
        let store = TableStore::open(&folder.tables(), table_settings(settings), BASE_TABLES).await?;
        let projector =
            Projector::new(Arc::clone(&log), Arc::clone(&store), Arc::clone(clock), ProjectorSettings::default());
        let ranking = Arc::new(Ranking::open(folder, settings, &store, clock).await?);
        let mut builder = Engine::builder(Arc::clone(&store) as _).settings(engine_settings(folder, settings));
        builder = builder.search(Arc::clone(ranking.searcher()) as _);
        if ranking.searcher().embedder().is_some() {
            builder = builder.embed(Arc::new(SqlModel(ranking.serving().clone())));
        }
        let followers =
            Projections { projector: projector.clone(), store: Arc::clone(&store), ranking: Arc::clone(&ranking) };
        let ground = Ground { log: Arc::clone(&log), clock: Arc::clone(clock), random: rand::random };
        let subscriptions = Arc::new(Registry::open(folder.subscriptions(), ground.clone())?);
        let stop = CancellationToken::new();
        let means = Means::new(folder, settings, ground, Arc::clone(metrics))?;
        let webhooks = Webhooks::open(means, stop.child_token())?;
        let exports = ExportsTable { exports: Arc::clone(exports), clock: Arc::clone(clock) };
        let own: [Arc<dyn SystemTable>; 5] = [
            Arc::new(followers),
            ranking.table(),
            Arc::clone(&subscriptions) as _,
            Arc::clone(&webhooks) as _,
            Arc::new(exports),
        ];
        for table in system::tables(&store, settings).into_iter().chain(own) {
            builder = builder.system(table);
        }
        let engine = builder.build()?;
        let engines = Self {
            feed: Feed::new(Arc::clone(&log)),
            subscriptions,
            webhooks,
            segments,
            log,
            store,
            projector,
            ranking,
            engine,
            scratch: folder.root().to_path_buf(),
            rebuilding: table_settings(settings).while_building(),
            stop,
            tasks: Mutex::default(),
            failure: Mutex::default(),
        };
        engines.start();
        Ok(engines)
    }

    fn start(&self) {
        let (projector, stop) = (self.projector.clone(), self.stop.clone());
        let task = tokio::spawn(async move { projector.run(stop.cancelled_owned()).await });
        let mut tasks = self.tasks.lock();
        tasks.push(task);
        tasks.push(tokio::spawn(Arc::clone(&self.feed).run(self.stop.clone())));
        tasks.extend(self.ranking.start(&self.stop));
        self.webhooks.start();
    }

    /// Remembers that the log cannot go on.
    pub fn fail(&self, problem: &Problem) {
        self.failure.lock().get_or_insert_with(|| problem.clone());
    }

    /// Returns why the log cannot go on, if so.
    pub fn failure(&self) -> Option<Problem> {
        self.failure.lock().clone()
    }

    /// Builds tables anew beside the live ones, then puts them in place; all when none is named.
    pub async fn rebuild(&self, tables: Vec<String>) -> Result<Rebuilt, Problem> {
        let request =
            RebuildRequest { tables, folder: self.scratch.join("rebuild"), settings: self.rebuilding.clone() };
        let watcher = |progress: RebuildProgress| {
            let at = |position: Option<partitura_event::Position>| position.map_or(0, partitura_event::Position::get);
            tracing::debug!(position = at(progress.position), target = at(progress.target), "rebuilding");
        };
        self.projector.rebuild(request, Arc::new(watcher)).await
    }

    /// Says whether semantic search works.
    pub fn semantic_part(&self) -> Part {
        self.ranking.part()
    }

    /// Returns 1 when the log stopped after a failed write.
    pub fn poisoned(&self) -> f64 {
        if self.failure().is_some() { 1.0 } else { 0.0 }
    }

    /// Returns gauges of the parts.
    pub fn gauges(&self) -> Vec<(&'static str, &'static str, f64)> {
        let progress = self.projector.progress();
        let mut gauges = self.ranking.gauges();
        gauges.extend([
            (
                "partitura_tables_lag_seconds",
                "Age of the newest event in tables while events wait.",
                progress.lag.as_secs_f64(),
            ),
            (
                "partitura_events_parked",
                "Events that no projection could fold, since the start.",
                progress.parked as f64,
            ),
            (
                "partitura_tables_failing",
                "1 while a projection or the writing of its rows to files is being retried.",
                f64::from(progress.last_error.is_some() || self.store.status().flush_error.is_some()),
            ),
        ]);
        gauges
    }

    /// Stops what runs, writes what tables hold in memory.
    pub async fn close(&self) -> Result<(), Problem> {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            if task.await.is_err() {
                tracing::warn!("a background task ended by a panic");
            }
        }
        self.webhooks.close().await;
        self.subscriptions.save().await;
        let flushed = self.store.close().await;
        // The log last: what is in it is what counts.
        let log = Arc::clone(&self.segments);
        if tokio::task::spawn_blocking(move || log.close()).await.is_err() {
            tracing::warn!("closing the log ended by a panic");
        }
        flushed
    }

    /// Returns the log.
    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }

    /// Returns the tables.
    pub const fn store(&self) -> &Arc<TableStore> {
        &self.store
    }

    /// Returns the parts of search.
    pub fn ranking(&self) -> &Ranking {
        &self.ranking
    }

    /// Returns what shares new events.
    pub const fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Returns the durable subscriptions.
    pub const fn subscriptions(&self) -> &Arc<Registry> {
        &self.subscriptions
    }

    /// Returns the webhooks.
    pub const fn webhooks(&self) -> &Arc<Webhooks> {
        &self.webhooks
    }

    /// Returns the SQL engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }
}

async fn open_log(folder: &Folder, clock: &Arc<dyn Clock>) -> Result<Arc<SegmentLog>, Problem> {
    let (path, clock) = (folder.log(), Arc::clone(clock));
    let open = move || SegmentLog::open(&path, LogSettings::default(), clock).map_err(Problem::from);
    let log = tokio::task::spawn_blocking(open)
        .await
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("opening the log stopped: {error}")))??;
    Ok(Arc::new(log))
}

fn table_settings(settings: &Settings) -> TableSettings {
    TableSettings {
        flush_rows: settings.flush_rows,
        flush_bytes: usize::try_from(settings.flush_bytes).unwrap_or(usize::MAX),
        flush_after: settings.flush_after,
        ..TableSettings::default()
    }
}

fn engine_settings(folder: &Folder, settings: &Settings) -> EngineSettings {
    EngineSettings {
        queries: settings.queries_max + settings.queries_waiting_max,
        memory: usize::try_from(settings.query_memory_max).unwrap_or(usize::MAX),
        spill_dir: Some(folder.root().join("spill")),
        ..EngineSettings::default()
    }
}

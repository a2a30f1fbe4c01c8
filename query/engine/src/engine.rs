//! The engine: takes a request, pins a snapshot, plans and runs it on threads of its own.
//!
//! Queries run on their own threads for two reasons: a heavy query must not stop the server from
//! answering others, and plans are walked by recursion, which needs larger stacks than usual.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem, Workspace};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::catalog::Catalog;
use crate::columns::{Columns, Want};
use crate::hook::{SqlEmbed, SqlSearch};
use crate::memory::SharedMemory;
use crate::pg::catalog::PgCatalog;
use crate::query::{Head, Query};
use crate::reads::Reads;
use crate::request::SqlRequest;
use crate::running::{Running, RunningQuery};
use crate::session::Sessions;
use crate::source::{Pinned, TableDescription, Tables};
use crate::stop::Stop;
use crate::stream::{GRACE, SqlStream, StatsHandle, StopOnDrop};
use crate::system::{QueriesTable, SystemTable};
use crate::view;

/// Stack of a query thread. Only what is touched takes memory.
const STACK_BYTES: usize = 64 << 20;
/// Threads besides those that are worth having: an operator that keeps its thread for long (a sort, a
/// window over one large partition) keeps only its own query waiting.
const SPARE_THREADS: usize = 2;
/// Batches that wait for a slow reader.
const BATCHES_AHEAD: usize = 2;

/// What a user may tune.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Threads that run queries, and partitions of each plan. Default: the number of cores.
    pub threads: usize,
    /// Queries that run at once, at most; more are refused with `Retry-After`.
    pub queries: usize,
    /// Bytes that all queries together may hold.
    pub memory: usize,
    /// Where queries write what does not fit in memory; `None`: they fail instead.
    pub spill_dir: Option<PathBuf>,
    /// Bytes that one query may write there.
    pub spill_bytes: u64,
}

impl Default for EngineSettings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self { threads, queries: 64, memory: 2 << 30, spill_dir: None, spill_bytes: 8 << 30 }
    }
}

/// Everything that an engine is made of, before it starts.
pub struct EngineBuilder {
    tables: Arc<dyn Tables>,
    settings: EngineSettings,
    search: Option<Arc<dyn SqlSearch>>,
    embed: Option<Arc<dyn SqlEmbed>>,
    system: Vec<Arc<dyn SystemTable>>,
}

impl EngineBuilder {
    /// Sets what a user may tune.
    #[must_use]
    pub fn settings(mut self, settings: EngineSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Adds the table functions `search`, `text_search` and `vector_search`.
    #[must_use]
    pub fn search(mut self, search: Arc<dyn SqlSearch>) -> Self {
        self.search = Some(search);
        self
    }

    /// Adds the function `embed`.
    #[must_use]
    pub fn embed(mut self, embed: Arc<dyn SqlEmbed>) -> Self {
        self.embed = Some(embed);
        self
    }

    /// Adds a table to the schema `system`.
    #[must_use]
    pub fn system(mut self, table: Arc<dyn SystemTable>) -> Self {
        self.system.push(table);
        self
    }

    /// Starts the engine's threads.
    pub fn build(self) -> Result<Engine, Problem> {
        if let Some(dir) = &self.settings.spill_dir {
            // DataFusion makes it when it is missing, but two queries at once trip over each other.
            std::fs::create_dir_all(dir).map_err(|error| {
                let detail = format!("the folder {} cannot be made: {error}", dir.display());
                Problem::new(ErrorClass::Unavailable, detail).hint("queries write there what does not fit in memory")
            })?;
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(self.settings.threads.max(1) + SPARE_THREADS)
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|error| Problem::new(ErrorClass::Unavailable, format!("query threads do not start: {error}")))?;
        let running = Running::default();
        let mut system = self.system;
        system.push(Arc::new(QueriesTable(running.clone())));
        let catalog = Arc::new(Catalog::new(self.tables.descriptions(), view::all(), system));
        let sessions = Sessions {
            catalog: catalog.clone(),
            partitions: self.settings.threads.max(1),
            spill_dir: self.settings.spill_dir.clone(),
            spill_bytes: self.settings.spill_bytes,
            search: self.search,
            embed: self.embed,
            templates: Mutex::default(),
        };
        let core = Core {
            tables: self.tables,
            catalog,
            sessions,
            memory: SharedMemory::new(self.settings.memory),
            described: Mutex::default(),
            pg_catalog: OnceCell::new(),
        };
        Ok(Engine { core: Arc::new(core), running, queries: self.settings.queries, runtime: Some(runtime) })
    }
}

/// What queries share.
pub(crate) struct Core {
    pub tables: Arc<dyn Tables>,
    pub catalog: Arc<Catalog>,
    pub sessions: Sessions,
    pub memory: Arc<SharedMemory>,
    pub described: Mutex<Option<Arc<Vec<TableDescription>>>>,
    pg_catalog: OnceCell<Arc<PgCatalog>>,
}

impl Core {
    /// Describes every table and view; views are planned once.
    async fn describe(&self) -> Result<Arc<Vec<TableDescription>>, Problem> {
        if let Some(described) = self.described.lock().clone() {
            return Ok(described);
        }
        let described = Arc::new(crate::describe::describe_all(self).await?);
        *self.described.lock() = Some(described.clone());
        Ok(described)
    }

    /// Returns what Postgres clients read of the catalog.
    pub async fn pg_catalog(&self) -> Result<Arc<PgCatalog>, Problem> {
        let made = self.pg_catalog.get_or_try_init(|| async {
            let catalog = PgCatalog::new(self.describe().await?, &self.catalog).await;
            catalog.map(Arc::new).map_err(crate::failure::problem)
        });
        made.await.cloned()
    }
}

/// Answers SQL. Cheap to share behind an `Arc`; dropping it stops its threads.
pub struct Engine {
    core: Arc<Core>,
    running: Running,
    queries: usize,
    /// Taken on drop, because a runtime must not be dropped where waiting is not allowed.
    runtime: Option<Runtime>,
}

impl Engine {
    /// Starts to describe an engine over `tables`.
    pub fn builder(tables: Arc<dyn Tables>) -> EngineBuilder {
        EngineBuilder { tables, settings: EngineSettings::default(), search: None, embed: None, system: Vec::new() }
    }

    /// Answers one query from the newest snapshot. Returns when the columns are known; rows follow in
    /// the stream. Dropping the stream, or this future, cancels the query.
    pub async fn sql(&self, request: SqlRequest) -> Result<SqlStream, Problem> {
        self.sql_at(self.core.tables.pin(), request).await
    }

    /// Answers one query from a snapshot that the caller pinned, so that several see the same.
    pub async fn sql_at(&self, pinned: Arc<dyn Pinned>, request: SqlRequest) -> Result<SqlStream, Problem> {
        self.start(pinned, request, Want::Rows).await
    }

    /// Plans one query without running it. Parameters may be left open; those that are given are bound.
    pub async fn columns(&self, request: SqlRequest) -> Result<Columns, Problem> {
        let stream = self.start(self.core.tables.pin(), request, Want::Columns).await?;
        let position = stream.position();
        let (schema, parameters) = stream.into_columns();
        Ok(Columns { schema, parameters, position })
    }

    async fn start(&self, pinned: Arc<dyn Pinned>, request: SqlRequest, want: Want) -> Result<SqlStream, Problem> {
        let started = Instant::now();
        let stop = Arc::new(Stop::new(&request.query_id, request.limits.time));
        let stats = StatsHandle::default();
        let ticket = self.running.enter(
            RunningQuery {
                query_id: request.query_id.clone(),
                workspace: request.workspace.clone(),
                sql: request.sql.chars().take(1_000).collect(),
                started_at: request.now,
                position: request.as_of.or(pinned.position()),
                stats: stats.clone(),
            },
            stop.clone(),
            self.queries,
        )?;
        let (head_in, head_out) = oneshot::channel();
        let (batches_in, batches_out) = mpsc::channel(BATCHES_AHEAD);
        let (core, reads) = (self.core.clone(), Reads::default());
        let (watched, stopper) = (stats.clone(), stop.clone());
        let query = Query { core, request, want, pinned, stats: watched, reads: reads.clone(), started, stop: stopper };
        let stopped = stop.clone();
        let task = async move {
            let mut head = Some(head_in);
            let answer = AssertUnwindSafe(query.run(&mut head, &batches_in)).catch_unwind();
            let result = tokio::select! {
                biased;
                problem = stopped.cancelled() => Err(problem),
                result = timeout_at(stopped.deadline(), answer) => match result {
                    Ok(Ok(result)) => result,
                    Ok(Err(panic)) => Err(panicked(panic.as_ref())),
                    Err(_) => Err(stopped.timed_out()),
                },
            };
            stats.update(|stats| stats.elapsed_us = started.elapsed().as_micros() as u64);
            // Its id is free before its reader knows that it ended.
            drop(ticket);
            if let Err(problem) = result {
                // A reader that has gone does not want to know.
                match head.take() {
                    Some(head) => drop(head.send(Err(problem))),
                    None => drop(batches_in.send(Err(problem)).await),
                }
            }
        };
        let query = StopOnDrop { task: self.runtime()?.spawn(task).abort_handle(), stop };
        let head = timeout_at(query.stop.deadline() + GRACE, head_out).await;
        let Head { schema, parameters, position, stats } = match head {
            Ok(Ok(head)) => head?,
            Ok(Err(_)) => return Err(Problem::new(ErrorClass::Internal, "the query ended without an answer")),
            Err(_) => return Err(query.stop.timed_out()),
        };
        Ok(SqlStream::new((schema, parameters), position, (stats, reads), batches_out, query))
    }

    /// Cancels a running query of `workspace`.
    pub fn cancel(&self, workspace: &Workspace, query_id: &str) -> Result<(), Problem> {
        self.running.cancel(workspace, query_id)
    }

    /// Lists the running queries of `workspace`, oldest first.
    pub fn running(&self, workspace: &Workspace) -> Vec<RunningQuery> {
        self.running.list(workspace)
    }

    /// Returns how many tasks run on the engine's threads: none when nobody asks anything.
    pub fn tasks(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }

    /// Returns what every table and view is, in the order of their names, `system.` ones last.
    pub async fn describe_tables(&self) -> Result<Arc<Vec<TableDescription>>, Problem> {
        let core = self.core.clone();
        let task = self.runtime()?.spawn(async move { core.describe().await });
        task.await.map_err(|error| Problem::new(ErrorClass::Internal, format!("describing tables: {error}")))?
    }

    /// Returns what the table `name` is. Errors with the nearest names.
    pub async fn describe_table(&self, name: &str) -> Result<TableDescription, Problem> {
        let tables = self.describe_tables().await?;
        let wanted = name.to_lowercase();
        tables.iter().find(|table| table.name == wanted).cloned().ok_or_else(|| {
            Problem::new(ErrorClass::NotFound, format!("there is no table `{name}`"))
                .code("unknown_table")
                .suggest(name, tables.iter().map(|table| table.name.as_str()))
                .hint("GET /v1/tables lists them")
        })
    }

    fn runtime(&self) -> Result<&Runtime, Problem> {
        self.runtime.as_ref().ok_or_else(|| Problem::new(ErrorClass::Unavailable, "the engine is stopping"))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Problem {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(error = text, "query panicked");
    Problem::new(ErrorClass::Internal, "the query met a defect of the engine; others are not touched")
        .hint("please report the SQL that did it")
}

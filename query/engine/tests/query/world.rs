//! A workspace with a history: log, projector, tables and engine, in one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use partitura_event::{
    Draft, EventId, EventType, Expected, Fingerprint, ManualClock, Problem, Source, StreamName, Timestamp, Workspace,
};
use partitura_log::{AppendRequest, EventLog, MemoryLog};
use partitura_projection::{Projector, ProjectorSettings};
use partitura_query::{Engine, EngineSettings, Format, SqlRequest, SqlStats, encode};
use partitura_table::{BASE_TABLES, TableSettings, TableStore};
use serde_json::Value;
use tempfile::TempDir;

const HISTORY: &str = include_str!("../fixture/history.ndjson");

/// Time of a query in tests, unless they say otherwise: no test is about how fast the machine is.
const PATIENCE: Duration = Duration::from_secs(240);

/// What `now()` says in tests, unless they say otherwise.
pub const NOW: &str = "2026-04-01T12:00:00Z";

pub struct World {
    pub engine: Engine,
    pub store: Arc<TableStore>,
    pub log: Arc<MemoryLog>,
    pub dir: TempDir,
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::parse("time", text).expect("a time of the test")
}

pub fn local() -> Workspace {
    Workspace::local()
}

impl World {
    /// Folds the history.
    pub async fn open() -> Self {
        Self::with_settings(settings()).await
    }

    pub async fn with_settings(settings: EngineSettings) -> Self {
        let clock = Arc::new(ManualClock::new(time(NOW)));
        let log = Arc::new(MemoryLog::new(clock));
        let dir = TempDir::new().expect("a folder");
        let world = Self::over(log, dir, settings).await;
        for (index, line) in HISTORY.lines().enumerate() {
            world.append(index, line).await;
        }
        world.fold().await;
        world
    }

    async fn over(log: Arc<MemoryLog>, dir: TempDir, settings: EngineSettings) -> Self {
        let tables = dir.path().join("tables");
        let store = TableStore::open(&tables, TableSettings::default(), BASE_TABLES).await.expect("tables open");
        let engine = Engine::builder(store.clone()).settings(settings).build().expect("the engine starts");
        Self { engine, store, log, dir }
    }

    /// Stops everything but the log and opens it again; with `rebuild`, from an empty folder.
    pub async fn restart(self, rebuild: bool) -> Self {
        let Self { engine, store, log, dir } = self;
        drop(engine);
        store.close().await.expect("tables close");
        drop(store);
        let dir = if rebuild { TempDir::new().expect("a folder") } else { dir };
        let world = Self::over(log, dir, settings()).await;
        world.fold().await;
        world
    }

    pub async fn append(&self, index: usize, line: &str) {
        let event: Value = serde_json::from_str(line).expect("the fixture is JSON");
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let workspace = Workspace::new(text("workspace").unwrap_or_else(|| "local".to_owned())).expect("a workspace");
        let draft = Draft {
            workspace: workspace.clone(),
            source: Source::new("test").expect("a source"),
            id: EventId::new(text("id").unwrap_or_else(|| format!("e{index}"))).expect("an id"),
            kind: EventType::new(text("type").expect("a type")).expect("a type"),
            subject: None,
            stream: StreamName::new("test").expect("a stream"),
            time: time(&text("time").expect("a time")),
            actor: None,
            causation: None,
            correlation: None,
            traceparent: None,
            data: partitura_event::Payload::new(event["data"].to_string()).expect("JSON"),
            fingerprint: Fingerprint::of(line.as_bytes()),
            expected: Expected::Any,
        };
        self.log.append(AppendRequest::new(workspace, vec![draft])).await.expect("appended");
    }

    pub async fn fold(&self) {
        let clock = Arc::new(ManualClock::new(time(NOW)));
        let projector = Projector::new(self.log.clone(), self.store.clone(), clock, ProjectorSettings::default());
        projector.catch_up().await.expect("folded");
        let progress = projector.progress();
        assert_eq!(progress.applied, self.log.head(), "{progress:?}");
    }

    /// Asks and encodes; `change` alters the request.
    pub async fn ask_as(
        &self,
        sql: &str,
        format: Format,
        change: impl FnOnce(&mut SqlRequest),
    ) -> Result<(String, SqlStats), Problem> {
        let (bytes, stats) = self.ask_bytes(sql, format, change).await?;
        Ok((String::from_utf8(bytes).expect("text"), stats))
    }

    pub async fn ask_bytes(
        &self,
        sql: &str,
        format: Format,
        change: impl FnOnce(&mut SqlRequest),
    ) -> Result<(Vec<u8>, SqlStats), Problem> {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let id = format!("test-{}", ASKED.fetch_add(1, Ordering::Relaxed));
        let mut request = SqlRequest::new(local(), sql, time(NOW), id);
        request.limits.time = PATIENCE;
        change(&mut request);
        let stream = self.engine.sql(request).await?;
        let stats = stream.stats();
        let mut bytes = Vec::new();
        let mut chunks = Box::pin(encode(stream, format));
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok((bytes, stats.get()))
    }

    /// Waits until nothing runs on the engine's threads any more.
    pub async fn idle(&self) {
        while self.engine.tasks() > 0 || !self.engine.running(&local()).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks for CSV.
    pub async fn ask(&self, sql: &str) -> Result<String, Problem> {
        self.ask_as(sql, Format::Csv, |_| {}).await.map(|(text, _)| text)
    }
}

pub fn settings() -> EngineSettings {
    EngineSettings { threads: 2, memory: 512 << 20, ..EngineSettings::default() }
}

/// Runs `future` on a small runtime, with a bound on its time.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(300), future).await.expect("the test hangs") })
}

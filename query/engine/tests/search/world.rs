//! Everything from the log to search, in one process: what a server wires, without the server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use partitura_embed::{Embedder, Serving, VectorFollower};
use partitura_event::{
    Draft, EventId, EventType, Expected, Fingerprint, ManualClock, Position, Problem, Source, StreamName, Timestamp,
    Workspace,
};
use partitura_log::{AppendRequest, EventLog, MemoryLog};
use partitura_projection::{Projector, ProjectorSettings};
use partitura_query::{SearchReply, SearchRequest, Searcher, SearcherSettings};
use partitura_table::schema::BASE_TABLES;
use partitura_table::search::{SearchSettings, SearchStore, TextFollower};
use partitura_table::vector::VectorSettings;
use partitura_table::{TableSettings, TableStore};
use serde_json::Value;

/// The parts.
pub struct World {
    pub log: Arc<MemoryLog>,
    pub tables: Arc<TableStore>,
    pub projector: Projector,
    pub store: Arc<SearchStore>,
    pub text: TextFollower,
    pub vectors: VectorFollower,
    pub serving: Serving,
    pub searcher: Searcher,
}

/// Returns 2026-01-01 and that many seconds.
pub fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_767_225_600 + seconds) * 1_000_000).unwrap()
}

impl World {
    /// Opens the parts over `log`, with files in `dir`.
    pub async fn open(log: Arc<MemoryLog>, dir: &Path, embedder: Arc<dyn Embedder>, exact_rows: usize) -> Self {
        let clock = Arc::new(ManualClock::new(time(90 * 86_400)));
        let tables = TableStore::open(&dir.join("tables"), TableSettings::default(), BASE_TABLES).await.unwrap();
        let settings = ProjectorSettings::default();
        let projector = Projector::new(log.clone(), tables.clone(), clock.clone(), settings);
        let vectors = VectorSettings { exact_rows, ..VectorSettings::default() };
        let settings = SearchSettings { vectors, ..SearchSettings::default() };
        let store = SearchStore::new(&dir.join("search"), "1", settings);
        let text = TextFollower::new(tables.clone(), store.clone());
        let vectors = VectorFollower::new(store.clone(), embedder.clone());
        let (settings, serving) = (SearcherSettings::default(), Serving::new(Some(embedder)));
        let searcher = Searcher::new(tables.clone(), store.clone(), serving.clone(), clock, settings);
        Self { log, tables, projector, store, text, vectors, serving, searcher }
    }

    /// Appends events as (kind, stream, seconds, data).
    pub async fn append(&self, workspace: &str, events: Vec<(&str, String, i64, Value)>) {
        let workspace = Workspace::new(workspace).unwrap();
        let head = self.log.head().map_or(0, Position::get);
        let drafts = events.into_iter().enumerate().map(|(at, (kind, stream, seconds, data))| {
            let text = data.to_string();
            Draft {
                workspace: workspace.clone(),
                source: Source::new("test").unwrap(),
                id: EventId::new(format!("{}", head + at as u64 + 1)).unwrap(),
                kind: EventType::new(kind).unwrap(),
                subject: Some(stream.clone()),
                stream: StreamName::new(stream).unwrap(),
                time: time(seconds),
                actor: None,
                causation: None,
                correlation: None,
                traceparent: None,
                fingerprint: Fingerprint::of(text.as_bytes()),
                data: partitura_event::Payload::new(text).unwrap(),
                expected: Expected::Any,
            }
        });
        let request = AppendRequest {
            workspace: workspace.clone(),
            events: drafts.collect(),
            checks: vec![],
            atomic: false,
            request: None,
        };
        self.log.append(request).await.unwrap();
    }

    /// Brings tables and text up to the log.
    pub async fn follow(&self) {
        self.projector.catch_up().await.unwrap();
        self.text.step().await.unwrap();
    }

    /// Brings everything up to the log.
    pub async fn settle(&self) {
        self.follow().await;
        self.vectors.catch_up().await.unwrap();
    }

    /// Searches.
    pub async fn search(&self, workspace: &str, request: &SearchRequest) -> Result<SearchReply, Problem> {
        let request = SearchRequest { wait: Duration::from_millis(50), ..request.clone() };
        self.searcher.search(&Workspace::new(workspace).unwrap(), &request).await
    }
}

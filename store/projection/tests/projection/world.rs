//! A log in memory, tables in a temporary folder, and the projector between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use partitura_event::{
    Draft, EventId, EventType, Expected, Fingerprint, ManualClock, Position, Source, StreamName, Timestamp, Workspace,
};
use partitura_log::{AppendRequest, EventLog, MemoryLog};
use partitura_projection::{Projection, Projector, ProjectorSettings, builtin};
use partitura_table::{BASE_TABLES, FaultPoint, FaultPoints, TableSettings, TableStore};
use tempfile::TempDir;

/// Columns that say when an event arrived, and nothing else.
pub const ARRIVAL: &[&str] = &["_pos", "_pos_to", "_ord", "position", "stream_revision", "recorded_at"];

/// An event as tests write it.
#[derive(Clone, Debug)]
pub struct Told {
    pub source: String,
    pub id: String,
    pub kind: String,
    pub time: i64,
    pub data: String,
}

impl Told {
    pub fn draft(&self, workspace: &Workspace) -> Draft {
        Draft {
            workspace: workspace.clone(),
            source: Source::new(self.source.as_str()).expect("a source"),
            id: EventId::new(self.id.as_str()).expect("an id"),
            kind: EventType::new(self.kind.as_str()).expect("a type"),
            subject: None,
            stream: StreamName::new("test").expect("a stream"),
            time: Timestamp::from_micros(self.time).expect("a time"),
            actor: None,
            causation: None,
            correlation: None,
            traceparent: None,
            data: partitura_event::Payload::new(self.data.clone()).expect("JSON"),
            fingerprint: Fingerprint::of(self.data.as_bytes()),
            expected: Expected::Any,
        }
    }
}

/// Settings under which the store does nothing by itself.
pub fn quiet() -> TableSettings {
    TableSettings {
        flush_rows: usize::MAX / 1024,
        flush_bytes: usize::MAX / 1024,
        flush_after: Duration::from_secs(3600),
        compact_fragments: 4,
        keep_versions: Duration::ZERO,
        maintain: false,
        ..TableSettings::default()
    }
}

pub fn workspace(name: &str) -> Workspace {
    Workspace::new(name).expect("a workspace")
}

/// Projector settings with batches of one size.
pub fn batches_of(events: usize) -> ProjectorSettings {
    ProjectorSettings { batch_events: events, ..ProjectorSettings::default() }
}

pub struct World {
    pub dir: TempDir,
    pub log: Arc<MemoryLog>,
    pub clock: Arc<ManualClock>,
    pub store: Arc<TableStore>,
    pub projector: Projector,
    faults: FaultPoints,
    projections: &'static [Box<dyn Projection>],
}

impl World {
    pub async fn new(settings: ProjectorSettings) -> Self {
        Self::with(settings, builtin::all()).await
    }

    pub async fn with(settings: ProjectorSettings, projections: &'static [Box<dyn Projection>]) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_767_600_000_000_000).expect("a time")));
        let log = Arc::new(MemoryLog::new(clock.clone()));
        Self::over(log, clock, settings, projections).await
    }

    /// Makes fresh tables over a log that may have events.
    pub async fn over(
        log: Arc<MemoryLog>,
        clock: Arc<ManualClock>,
        settings: ProjectorSettings,
        projections: &'static [Box<dyn Projection>],
    ) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (store, faults) = open(dir.path()).await;
        let projector = Projector::with_projections(log.clone(), store.clone(), clock.clone(), settings, projections);
        Self { dir, log, clock, store, projector, faults, projections }
    }

    /// Closes the tables and opens them again where their commit file left them.
    pub async fn reopen(&mut self, settings: ProjectorSettings) {
        (self.store, self.faults) = open(self.dir.path()).await;
        let (log, store, clock) = (self.log.clone(), self.store.clone(), self.clock.clone());
        self.projector = Projector::with_projections(log, store, clock, settings, self.projections);
    }

    /// Dies in the middle of a flush or a compaction, and starts again with what was on disk then.
    pub async fn die_at(&mut self, point: FaultPoint, settings: ProjectorSettings) {
        let cut = tempfile::tempdir().expect("a folder");
        let (from, to) = (self.dir.path().to_owned(), cut.path().to_owned());
        self.faults.arm(point, 0);
        self.faults.on_fault(move || copy(&from, &to));
        if self.store.flush().await.is_ok() && self.store.maintain().await.is_ok() {
            copy(self.dir.path(), cut.path());
        }
        self.dir = cut;
        self.reopen(settings).await;
    }

    /// Goes on with other folds over the same tables.
    pub async fn repair(&mut self, projections: &'static [Box<dyn Projection>]) {
        self.projections = projections;
        let (log, store, clock) = (self.log.clone(), self.store.clone(), self.clock.clone());
        self.projector = Projector::with_projections(log, store, clock, batches_of(1_000), projections);
    }

    pub async fn append(&self, workspace: &Workspace, events: &[Told]) {
        let drafts = events.iter().map(|event| event.draft(workspace)).collect();
        let reply = self.log.append(AppendRequest::new(workspace.clone(), drafts)).await.expect("appends");
        assert_eq!(reply.results.len(), events.len());
    }

    /// Returns the rows of every table that has some at a position, sorted, closed versions too; without the
    /// state of folds, which closed versions do not keep.
    pub async fn dump_at(&self, workspace: &Workspace, as_of: Option<Position>) -> BTreeMap<String, Vec<String>> {
        let snapshot = self.store.snapshot();
        let context = SessionContext::new();
        let mut tables = BTreeMap::new();
        for spec in BASE_TABLES {
            for name in [Some(spec.name.to_owned()), spec.history_name()].into_iter().flatten() {
                let provider = snapshot.table_internal(workspace, &name, as_of).expect("a known table");
                let frame = context.read_table(provider).expect("a plan");
                let rows = render(&frame.collect().await.expect("rows"), &["_state"]);
                if !rows.is_empty() {
                    tables.insert(name, rows);
                }
            }
        }
        tables
    }

    /// Returns the rows of all tables of a workspace, sorted, without the columns named.
    pub async fn dump(&self, workspace: &Workspace, without: &[&str], history: bool) -> BTreeMap<String, Vec<String>> {
        let snapshot = self.store.snapshot();
        let context = SessionContext::new();
        let mut tables = BTreeMap::new();
        for status in snapshot.status().iter().filter(|status| status.workspace == *workspace) {
            let mut names = vec![status.table.to_owned()];
            if history && status.history_rows > 0 {
                names.push(format!("{}_history", status.table));
            }
            for name in names {
                let provider = snapshot.table_internal(workspace, &name, None).expect("a known table");
                let frame = context.read_table(provider).expect("a plan");
                let rows = render(&frame.collect().await.expect("rows"), without);
                tables.insert(name, rows);
            }
        }
        tables
    }
}

async fn open(dir: &Path) -> (Arc<TableStore>, FaultPoints) {
    let faults = FaultPoints::default();
    let opening = TableStore::open_with_faults(dir, quiet(), BASE_TABLES, faults.clone());
    (opening.await.expect("opens"), faults)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copies");
        }
    }
}

/// Returns the rows as sorted texts of `column=value`.
pub fn render(batches: &[RecordBatch], without: &[&str]) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let mut rows = Vec::new();
    for batch in batches {
        let schema = batch.schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .filter(|(field, _)| !without.contains(&field.name().as_str()))
            .map(|(field, column)| {
                (field.name().as_str(), column, ArrayFormatter::try_new(column, &options).expect("formats"))
            })
            .collect();
        for row in 0..batch.num_rows() {
            let cells = columns.iter().filter(|(_, column, _)| column.is_valid(row));
            let cells: Vec<_> = cells.map(|(name, _, format)| format!("{name}={}", format.value(row))).collect();
            rows.push(cells.join(" "));
        }
    }
    rows.sort();
    rows
}

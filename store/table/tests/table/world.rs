//! A small world of events, the model of what its tables must show, and a store to compare with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, UInt8Array, UInt64Array};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use partitura_event::{Position, Workspace};
use partitura_table::{
    ColumnSpec, ColumnType, Delta, FaultPoints, Shape, Snapshot, TableSettings, TableSpec, TableStore,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// An append-only table.
pub static NOTES: TableSpec = TableSpec {
    name: "notes",
    shape: Shape::Append,
    grain: "One row per note.",
    about: "For tests.",
    key: &["_pos"],
    joins: &[],
    columns: &[
        ColumnSpec::required("kind", ColumnType::Word, "A word."),
        ColumnSpec::optional("text", ColumnType::Text, "A text."),
    ],
};

/// A keyed table.
pub static ITEMS: TableSpec = TableSpec {
    name: "items",
    shape: Shape::Keyed,
    grain: "One row per item.",
    about: "For tests.",
    key: &["item"],
    joins: &[],
    columns: &[
        ColumnSpec::required("item", ColumnType::Text, "The key."),
        ColumnSpec::required("status", ColumnType::Word, "A word."),
        ColumnSpec::optional("count", ColumnType::Int, "A number."),
    ],
};

pub static SPECS: &[&TableSpec] = &[&NOTES, &ITEMS];

/// A row of `items`: its key, a word, a number.
pub type Item = (String, String, Option<i64>);

/// What one event does: rows of one workspace.
#[derive(Clone, Debug)]
pub struct Event {
    pub workspace: usize,
    pub notes: Vec<(String, Option<String>)>,
    pub items: Vec<Item>,
}

impl Event {
    /// Makes a random event.
    pub fn random(rng: &mut ChaCha8Rng, keys: u32) -> Self {
        let note = |rng: &mut ChaCha8Rng| {
            let kind = format!("kind-{}", rng.random_range(0..4));
            (kind, rng.random_bool(0.7).then(|| format!("text {}", rng.random_range(0..1000))))
        };
        let item = |rng: &mut ChaCha8Rng| {
            let key = format!("item-{}", rng.random_range(0..keys));
            let status = ["open", "busy", "done"][rng.random_range(0..3)].to_owned();
            (key, status, rng.random_bool(0.9).then(|| rng.random_range(0..10)))
        };
        Self {
            workspace: rng.random_range(0..2),
            notes: (0..rng.random_range(0..3)).map(|_| note(rng)).collect(),
            items: (0..rng.random_range(0..3)).map(|_| item(rng)).collect(),
        }
    }
}

/// Settings under which nothing happens by itself.
pub fn quiet() -> TableSettings {
    TableSettings {
        flush_rows: usize::MAX / 1024,
        flush_bytes: usize::MAX / 1024,
        flush_after: Duration::from_secs(3600),
        compact_fragments: 4,
        keep_versions: Duration::ZERO,
        maintain: false,
        retry_after: Duration::from_millis(1),
        ..TableSettings::default()
    }
}

/// Returns the workspace of a number.
pub fn workspace(n: usize) -> Workspace {
    Workspace::new(["alpha", "beta-2"][n]).expect("a valid workspace")
}

/// Returns a position from 1.
pub fn position(n: u64) -> Position {
    Position::new(n).expect("positions start at 1")
}

/// The events so far, and a store that has applied them.
pub struct World {
    pub dir: PathBuf,
    pub events: Vec<Event>,
    pub store: Arc<TableStore>,
    pub faults: FaultPoints,
    pub settings: TableSettings,
}

impl World {
    pub async fn new(dir: &Path, settings: TableSettings) -> Self {
        let faults = FaultPoints::default();
        let store = TableStore::open_with_faults(dir, settings.clone(), SPECS, faults.clone()).await.expect("opens");
        Self { dir: dir.to_owned(), events: Vec::new(), store, faults, settings }
    }

    /// Applies events as one batch.
    pub async fn apply(&mut self, events: Vec<Event>) {
        let after = self.events.len();
        self.events.extend(events);
        self.catch_up(after).await;
    }

    async fn catch_up(&self, after: usize) {
        if after < self.events.len() {
            let upto = position(self.events.len() as u64);
            self.store.apply(upto, deltas(&self.events, after)).await.expect("applies");
        }
    }

    /// Opens the folder again, as after a crash, and replays what it lacks.
    pub async fn reopen(&mut self) {
        self.reopen_at(&self.dir.clone()).await;
    }

    /// Opens another folder in its place.
    pub async fn reopen_at(&mut self, dir: &Path) {
        self.dir = dir.to_owned();
        self.faults = FaultPoints::default();
        let opening = TableStore::open_with_faults(dir, self.settings.clone(), SPECS, self.faults.clone());
        self.store = opening.await.expect("opens");
        let after = self.store.position().map_or(0, Position::get);
        self.catch_up(after as usize).await;
    }

    /// Compares every table with the model, at the head or at an earlier position.
    pub async fn check(&self, as_of: Option<u64>) {
        check(&self.store.snapshot(), &self.events, as_of).await;
    }
}

/// Compares every table of a snapshot with the model.
pub async fn check(snapshot: &Snapshot, events: &[Event], as_of: Option<u64>) {
    let end = as_of.unwrap_or_else(|| snapshot.position().map_or(0, Position::get));
    for n in 0..2 {
        for table in ["notes", "items", "items_history"] {
            let found = rows(snapshot, n, table, as_of).await;
            let expected = model(events, n, table, end);
            assert_eq!(found, expected, "{table} of workspace {n} as of {end}, checkpoint {:?}", snapshot.checkpoint());
        }
    }
}

/// Reads a table as lines, sorted.
pub async fn rows(snapshot: &Snapshot, n: usize, table: &str, as_of: Option<u64>) -> Vec<String> {
    let columns = match table {
        "notes" => "_pos, _ord, kind, text",
        "items" => "_pos, _ord, item, status, count, _key",
        _ => "_pos, _ord, item, status, count, _key, _pos_to",
    };
    query(snapshot, n, table, as_of, &format!("SELECT {columns} FROM t")).await
}

/// Runs SQL over one table, named `t`, and returns the rows as sorted lines.
pub async fn query(snapshot: &Snapshot, n: usize, table: &str, as_of: Option<u64>, sql: &str) -> Vec<String> {
    let context = SessionContext::new();
    // Position 0 is before the first event: a snapshot without position says the same.
    let provider = snapshot.table_internal(&workspace(n), table, as_of.and_then(Position::new));
    context.register_table("t", provider.expect("a known table")).expect("registers");
    let batches = context.sql(sql).await.expect("plans").collect().await.expect("runs");
    let mut lines: Vec<String> = batches.iter().flat_map(lines).collect();
    lines.sort();
    lines
}

fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let columns: Vec<_> = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
    let value = |column: &Result<ArrayFormatter<'_>, _>, row| column.as_ref().expect("formats").value(row).to_string();
    let line = |row| columns.iter().map(|column| value(column, row)).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}

/// Returns what a table must show at a position.
fn model(events: &[Event], n: usize, table: &str, end: u64) -> Vec<String> {
    let text = |text: Option<String>| text.unwrap_or_else(|| "∅".into());
    let seen = events.iter().zip(1_u64..).filter(|(event, pos)| event.workspace == n && *pos <= end);
    let mut lines = Vec::new();
    let mut versions: Vec<(u64, usize, &Item, Option<u64>)> = Vec::new();
    for (event, pos) in seen {
        if table == "notes" {
            let rows = event.notes.iter().enumerate();
            lines.extend(rows.map(|(ord, (kind, note))| format!("{pos}|{ord}|{kind}|{}", text(note.clone()))));
        }
        for (ord, item) in event.items.iter().enumerate() {
            let before = versions.iter_mut().find(|version| version.2.0 == item.0 && version.3.is_none());
            if let Some(before) = before {
                before.3 = Some(pos);
            }
            versions.push((pos, ord, item, None));
        }
    }
    if table != "notes" {
        for (pos, ord, (item, status, count), end) in versions {
            let line = format!("{pos}|{ord}|{item}|{status}|{}|{item}", text(count.map(|count| count.to_string())));
            match (table, end) {
                ("items", None) => lines.push(line),
                ("items_history", Some(end)) => lines.push(format!("{line}|{end}")),
                _ => {}
            }
        }
    }
    lines.sort();
    lines
}

/// Returns the state that the fold of a version would have.
pub fn state(status: &str, pos: u64) -> Vec<u8> {
    format!("{status}@{pos}").into_bytes()
}

/// Returns the rows of the events behind `after`.
pub fn deltas(events: &[Event], after: usize) -> Vec<(Workspace, Vec<Delta>)> {
    (0..2).map(|n| (workspace(n), vec![notes(events, after, n), items(events, after, n)])).collect()
}

/// Returns notes with these texts, one of each event behind `after`.
pub fn notes_of(texts: impl Iterator<Item = String>, after: u64) -> RecordBatch {
    let texts = StringArray::from_iter_values(texts);
    let rows = texts.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["kind"; rows])),
        Arc::new(texts),
        Arc::new(UInt64Array::from_iter_values(after + 1..=after + rows as u64)),
        Arc::new(UInt8Array::from(vec![0; rows])),
    ];
    RecordBatch::try_new(NOTES.delta_schema(), columns).expect("a batch")
}

fn notes(events: &[Event], after: usize, n: usize) -> Delta {
    let events = events.iter().zip(1_u64..).skip(after).filter(|(event, _)| event.workspace == n);
    let rows: Vec<_> = events
        .flat_map(|(event, pos)| event.notes.iter().zip(0_u8..).map(move |(note, ord)| (note.clone(), pos, ord)))
        .collect();
    let batch = RecordBatch::try_new(
        NOTES.delta_schema(),
        vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0.0))),
            Arc::new(StringArray::from_iter(rows.iter().map(|row| row.0.1.as_ref()))),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.1))),
            Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.2))),
        ],
    );
    Delta { table: "notes", batch: batch.expect("a batch") }
}

fn items(events: &[Event], after: usize, n: usize) -> Delta {
    let events = events.iter().zip(1_u64..).skip(after).filter(|(event, _)| event.workspace == n);
    let rows: Vec<_> = events
        .flat_map(|(event, pos)| event.items.iter().zip(0_u8..).map(move |(item, ord)| (item.clone(), pos, ord)))
        .collect();
    let batch = RecordBatch::try_new(
        ITEMS.delta_schema(),
        vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0.0))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0.1))),
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0.2))),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.1))),
            Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.2))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0.0))),
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| state(&row.0.1, row.1)))),
        ],
    );
    Delta { table: "items", batch: batch.expect("a batch") }
}

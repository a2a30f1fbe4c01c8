//! Measures the tables by themselves, beside DataFusion over Parquet of the same rows.
//!
//! `cargo run --release -p partitura-table --example measure_tables -- <tasks> <interactions> [folder]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array, UInt64Array, new_null_array,
};
use arrow::datatypes::DataType;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use partitura_event::{Position, Workspace};
use partitura_table::schema::{interactions::INTERACTIONS, tasks::TASKS};
use partitura_table::{ColumnType, Delta, TableSettings, TableSpec, TableStore};

const BATCH: u64 = 8192;
static SPECS: &[&TableSpec] = &[&TASKS, &INTERACTIONS];

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let tasks: u64 = args.next().unwrap_or_else(|| "1000000".into()).parse()?;
    let interactions: u64 = args.next().unwrap_or_else(|| "1000000".into()).parse()?;
    let folder = args.next().map_or_else(|| std::env::temp_dir().join("partitura-measure"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let store = TableStore::open(&folder.join("tables"), TableSettings::default(), SPECS).await?;
    let workspace = Workspace::local();

    let mut pos = load(&store, &workspace, &TASKS, tasks, 0).await?;
    println!("\ntasks: {tasks} rows");
    let queries = [
        "SELECT status, count(*) FROM t GROUP BY status",
        "SELECT count(*) FROM t",
        "SELECT type, status, count(*) FROM t GROUP BY type, status",
    ];
    compare(&store, &workspace, "tasks", &folder, &queries).await?;
    point_reads(&store, &workspace, tasks).await?;
    pos = trickle(&store, &workspace, tasks, pos).await?;
    println!("after {BATCH} updates in the tail:");
    time(&store, &workspace, "tasks", queries[0]).await?;

    load(&store, &workspace, &INTERACTIONS, interactions, pos).await?;
    println!("\ninteractions: {interactions} rows");
    let queries = [
        "SELECT count(*) FROM t",
        "SELECT agent_id, count(*), sum(tokens_in), avg(latency_ms) FROM t GROUP BY agent_id",
        "SELECT model, kind, sum(tokens_in), sum(tokens_out) FROM t GROUP BY model, kind",
        "SELECT date_trunc('day', time), count(*) FROM t GROUP BY 1",
        "SELECT count(DISTINCT task_id) FROM t",
        "SELECT * FROM t ORDER BY time DESC LIMIT 10",
        "SELECT max(_pos) FROM t",
        "SELECT * FROM t WHERE _pos = 1234567",
        "SELECT sum(tokens_out) FROM t WHERE model = 'model-3' AND tokens_in > 500",
    ];
    compare(&store, &workspace, "interactions", &folder, &queries).await?;
    let started = Instant::now();
    store.close().await?;
    drop(store);
    let store = TableStore::open(&folder.join("tables"), TableSettings::default(), SPECS).await?;
    println!("\nclose and open: {:?}", started.elapsed());
    let started = Instant::now();
    store.states(&workspace, "tasks", &["task-77".into()]).await?;
    println!("first state (loads the keys): {:?}", started.elapsed());
    Ok(())
}

async fn load(
    store: &TableStore,
    workspace: &Workspace,
    spec: &'static TableSpec,
    rows: u64,
    after: u64,
) -> Result<u64, Failure> {
    let started = Instant::now();
    let mut slowest = std::time::Duration::ZERO;
    let mut pos = after;
    while pos < after + rows {
        let until = (pos + BATCH).min(after + rows);
        let batch = batch(spec, pos, until, pos - after);
        let applying = Instant::now();
        let delta = Delta { table: spec.name, batch };
        let upto = Position::new(until).ok_or("positions start at 1")?;
        store.apply(upto, vec![(workspace.clone(), vec![delta])]).await?;
        slowest = slowest.max(applying.elapsed());
        pos = until;
    }
    store.flush().await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("load {}: {rows} rows, {:.0} rows/s, slowest apply {slowest:?}", spec.name, rows as f64 / seconds);
    let started = Instant::now();
    store.maintain().await?;
    println!("maintenance: {:?}", started.elapsed());
    Ok(pos)
}

async fn trickle(store: &TableStore, workspace: &Workspace, tasks: u64, after: u64) -> Result<u64, Failure> {
    let started = Instant::now();
    let mut slowest = std::time::Duration::ZERO;
    for pos in after..after + BATCH {
        let applying = Instant::now();
        let nth = pos.wrapping_mul(7919) % tasks;
        store.states(workspace, "tasks", &[format!("task-{nth}")]).await?;
        let delta = Delta { table: "tasks", batch: batch(&TASKS, pos, pos + 1, nth) };
        let upto = Position::new(pos + 1).ok_or("positions start at 1")?;
        store.apply(upto, vec![(workspace.clone(), vec![delta])]).await?;
        slowest = slowest.max(applying.elapsed());
    }
    let each = started.elapsed() / BATCH as u32;
    println!("single updates, state read and applied: {each:?} each, slowest {slowest:?}");
    Ok(after + BATCH)
}

async fn point_reads(store: &TableStore, workspace: &Workspace, tasks: u64) -> Result<(), Failure> {
    let mut times = Vec::new();
    for nth in 0..200 {
        let key = format!("task-{}", nth * 4973 % tasks);
        let started = Instant::now();
        let states = store.states(workspace, "tasks", &[key]).await?;
        times.push(started.elapsed());
        assert!(states[0].is_some(), "every task has a state");
    }
    let first = times[0];
    times.sort();
    println!("one state: first {first:?}, median {:?}, slowest {:?}", times[100], times[199]);
    let keys: Vec<String> = (0..1000).map(|nth| format!("task-{}", nth * 997 % tasks)).collect();
    let started = Instant::now();
    store.states(workspace, "tasks", &keys).await?;
    println!("1,000 states at once: {:?}", started.elapsed());
    Ok(())
}

async fn compare(
    store: &TableStore,
    workspace: &Workspace,
    table: &str,
    folder: &Path,
    queries: &[&str],
) -> Result<(), Failure> {
    let file = folder.join(format!("{table}.parquet"));
    write_parquet(store, workspace, table, &file).await?;
    let size =
        |path: &Path| -> u64 { walk(path).iter().filter_map(|file| file.metadata().ok()).map(|m| m.len()).sum() };
    println!("bytes: Lance (all tables) {}, Parquet {}", size(&folder.join("tables")), size(&file));
    let parquet = SessionContext::new();
    parquet.register_parquet("t", &file.display().to_string(), ParquetReadOptions::default()).await?;
    let mut product = 1.0;
    for sql in queries {
        let theirs = best(&parquet, sql).await?;
        let ours = time(store, workspace, table, sql).await?;
        product *= ours / theirs;
        println!("    Parquet {:>8.2} ms, ratio {:.2}", theirs, ours / theirs);
    }
    println!("geometric mean {:.2}", product.powf(1.0 / queries.len() as f64));
    Ok(())
}

fn walk(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.flat_map(|entry| walk(&entry.path())).collect()
}

async fn time(store: &TableStore, workspace: &Workspace, table: &str, sql: &str) -> Result<f64, Failure> {
    let context = SessionContext::new();
    let provider = store.snapshot().table(workspace, table, None).ok_or("a known table")?;
    context.register_table("t", provider)?;
    let milliseconds = best(&context, sql).await?;
    println!("{milliseconds:>8.2} ms  {sql}");
    Ok(milliseconds)
}

async fn best(context: &SessionContext, sql: &str) -> Result<f64, Failure> {
    let mut best = f64::MAX;
    for _ in 0..4 {
        let started = Instant::now();
        context.sql(sql).await?.collect().await?;
        best = best.min(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

async fn write_parquet(store: &TableStore, workspace: &Workspace, table: &str, file: &Path) -> Result<(), Failure> {
    let context = SessionContext::new();
    let provider = store.snapshot().table(workspace, table, None).ok_or("a known table")?;
    let schema = provider.schema();
    context.register_table("t", provider)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(file)?, schema, Some(properties))?;
    for batch in context.sql("SELECT * FROM t ORDER BY _pos").await?.collect().await? {
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(())
}

/// Fills every column of a table with values that look like its name.
fn batch(spec: &TableSpec, from: u64, until: u64, nth: u64) -> RecordBatch {
    let rows = (until - from) as usize;
    let mix = |row: usize, salt: u64| (nth + row as u64 + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let schema = spec.delta_schema();
    let column = |(salt, field): (usize, &Arc<arrow::datatypes::Field>)| -> ArrayRef {
        let salt = salt as u64 * 1_000_003;
        let word = spec.column(field.name()).is_some_and(|column| matches!(column.ty, ColumnType::Word));
        let text = |row: usize| match (field.name().as_str(), word) {
            ("_key" | "task_id", _) => format!("task-{}", (nth + row as u64) % 1_000_000),
            ("status", _) => ["open", "started", "completed", "failed", "blocked"][mix(row, salt) as usize % 5].into(),
            (name, true) => format!("{}-{}", name.trim_end_matches("_id"), mix(row, salt) % 12),
            (name, false) => format!("{name} {}", mix(row, salt) % 100_000),
        };
        match field.data_type() {
            DataType::Utf8 => Arc::new(StringArray::from_iter_values((0..rows).map(text))),
            DataType::UInt64 if field.name() == "_pos" => Arc::new(UInt64Array::from_iter_values(from + 1..=until)),
            DataType::UInt8 => Arc::new(UInt8Array::from(vec![0; rows])),
            DataType::Int64 => {
                Arc::new(Int64Array::from_iter_values((0..rows).map(|row| (mix(row, salt) % 5000) as i64)))
            }
            DataType::UInt64 => Arc::new(UInt64Array::from_iter_values((0..rows).map(|row| mix(row, salt) % 5000))),
            DataType::Float64 => {
                Arc::new(Float64Array::from_iter_values((0..rows).map(|row| (mix(row, salt) % 9000) as f64 / 7.0)))
            }
            DataType::Boolean => {
                Arc::new(BooleanArray::from_iter((0..rows).map(|row| Some(mix(row, salt).is_multiple_of(2)))))
            }
            DataType::Timestamp(..) => {
                let time = |row: usize| 1_700_000_000_000_000 + ((nth + row as u64) * 1_500_000) as i64;
                Arc::new(TimestampMicrosecondArray::from_iter_values((0..rows).map(time)).with_timezone("UTC"))
            }
            DataType::Decimal128(..) => {
                let cents = (0..rows).map(|row| i128::from(mix(row, salt) % 1_000_000) * 1_000_000);
                Arc::new(Decimal128Array::from_iter_values(cents).with_data_type(field.data_type().clone()))
            }
            DataType::Binary => {
                let state = |row: usize| format!("state of {row} {:0>200}", mix(row, salt)).into_bytes();
                Arc::new(BinaryArray::from_iter_values((0..rows).map(state)))
            }
            other if field.is_nullable() => new_null_array(other, rows),
            other => arrow::array::make_array(arrow::array::ArrayData::new_null(other, rows)),
        }
    };
    let columns = schema.fields().iter().enumerate().map(column).collect();
    RecordBatch::try_new(schema, columns).expect("columns fit their schema")
}

//! Stories: events in, rows out, one file each in `tests/scripts`.
//!
//! A line is a comment (`#`), an event (`time type {data}`), a query (`=> SELECT …`, over the base tables with
//! their hidden columns), or a row that the query before it must give. Every story is also told backwards
//! and must end the same. `PARTITURA_BLESS=1 cargo test` writes the rows that were found.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use partitura_event::Timestamp;

use super::world::{Told, World, batches_of, workspace};

struct Story {
    events: Vec<Told>,
    queries: Vec<String>,
}

fn read(text: &str) -> Story {
    let mut story = Story { events: Vec::new(), queries: Vec::new() };
    for line in text.lines() {
        if let Some(sql) = line.strip_prefix("=> ") {
            story.queries.push(sql.to_owned());
        } else if story.queries.is_empty() && !line.starts_with('#') && !line.trim().is_empty() {
            let mut parts = line.splitn(3, ' ');
            let mut part = || parts.next().expect("time, type and data").to_owned();
            let time = Timestamp::parse("time", &part()).expect("a time").micros();
            let id = format!("e{}", story.events.len() + 1);
            story.events.push(Told { source: "story".into(), id, kind: part(), time, data: part() });
        }
    }
    story
}

async fn answer(world: &World, sql: &str) -> String {
    let snapshot = world.store.snapshot();
    let context = SessionContext::new();
    for spec in snapshot.specs() {
        let names = [Some(spec.name.to_owned()), spec.history_name()];
        for name in names.into_iter().flatten() {
            let provider = snapshot.table_internal(&workspace("w"), &name, None).expect("a known table");
            context.register_table(name.as_str(), provider).expect("registers");
        }
    }
    let batches = context.sql(sql).await.expect(sql).collect().await.expect(sql);
    let options = FormatOptions::default().with_null("-");
    let mut text = String::new();
    for batch in &batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).expect("formats")).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            text.push_str(&cells.join(" | "));
            text.push('\n');
        }
    }
    text
}

async fn tell(events: &[Told], queries: &[String], batch: usize) -> Vec<String> {
    let world = World::new(batches_of(batch)).await;
    world.append(&workspace("w"), events).await;
    world.projector.catch_up().await.expect("catches up");
    assert_eq!(world.projector.progress().latest_parked, []);
    let mut answers = Vec::new();
    for sql in queries {
        answers.push(answer(&world, sql).await);
    }
    answers
}

fn with_answers(text: &str, answers: &[String]) -> String {
    let head: Vec<_> = text.lines().take_while(|line| !line.starts_with("=> ")).collect();
    let mut written = head.join("\n").trim_end().to_owned() + "\n";
    let queries = text.lines().filter(|line| line.starts_with("=> "));
    for (query, answer) in queries.zip(answers) {
        written.push_str(&format!("\n{query}\n{answer}"));
    }
    written
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let entries = fs::read_dir(folder).expect("the folder of scripts");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stories_end_as_they_should() {
    let update = std::env::var_os("PARTITURA_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in scripts() {
        let text = fs::read_to_string(&path).expect("reads");
        let Story { mut events, queries } = read(&text);
        let forwards = tell(&events, &queries, 1_000).await;
        events.reverse();
        let backwards = tell(&events, &queries, 1).await;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert_eq!(forwards, backwards, "{name} told backwards");
        let found = with_answers(&text, &forwards);
        if update {
            fs::write(&path, found).expect("writes");
        } else if found != text {
            wrong.push(format!("{name}: expected\n{text}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

//! Rows, bytes, memory, time, cancelling: each is bounded.

use std::time::Duration;

use futures::StreamExt;
use partitura_event::ErrorClass;
use partitura_query::{EngineSettings, Format, SqlRequest};

use super::world::{NOW, World, local, run, settings, time};

#[test]
fn rows_and_bytes_are_cut_and_said_so() {
    run(async {
        let world = World::open().await;
        let rows = "SELECT value FROM generate_series(1, 100000)";
        let (text, stats) =
            world.ask_as(rows, Format::Csv, |request| request.limits.rows = 10).await.expect("answered");
        assert_eq!((text.lines().count(), stats.rows, stats.truncated), (11, 10, true));
        let (_, stats) =
            world.ask_as(rows, Format::Csv, |request| request.limits.rows = 100_000).await.expect("answered");
        assert_eq!((stats.rows, stats.truncated), (100_000, false));
        let (_, stats) =
            world.ask_as(rows, Format::Csv, |request| request.limits.bytes = 8_000).await.expect("answered");
        assert!(stats.truncated && stats.bytes <= 8_000 && stats.rows >= 500, "{stats:?}");
        let (text, stats) =
            world.ask_as("SELECT 1 AS x", Format::Csv, |request| request.limits.rows = 0).await.expect("answered");
        assert_eq!((text.as_str(), stats.truncated), ("x\n", true));
    });
}

/// Questions that would run for hours; the last five look at many pairs of rows and hand on none.
const ENDLESS: &[&str] = &[
    "SELECT count(*) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "SELECT value FROM generate_series(1, 1000000000000) WHERE value % 7 = 8",
    "SELECT count(*) FROM events a, events b, events c, events d, events e, events f, events g, events h \
     WHERE a.position + b.position + c.position + d.position + e.position + f.position + g.position + h.position = -1",
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b \
     WHERE a.value::text || b.value::text = 'x'",
    "SELECT count(*) FROM generate_series(1, 1000000) a LEFT JOIN generate_series(1, 1000000) b ON a.value + b.value < 0",
    "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b \
     ON a.value % 2 = b.value % 2 AND a.value + b.value < 0",
    "SELECT count(*) FROM generate_series(1, 1000000) a \
     WHERE NOT EXISTS (SELECT 1 FROM generate_series(1, 1000000) b WHERE b.value % 2 = a.value % 2)",
];

#[test]
fn time_is_limited() {
    run(async {
        let world = World::open().await;
        for sql in ENDLESS {
            let asked =
                world.ask_as(sql, Format::Csv, |request| request.limits.time = Duration::from_millis(400)).await;
            let problem = asked.expect_err(sql);
            assert_eq!((problem.class, problem.code), (ErrorClass::Timeout, "sql_timeout"), "{sql}: {problem}");
            // It does not run on in secret either.
            world.idle().await;
        }
    });
}

#[test]
fn an_endless_query_can_be_cancelled_and_keeps_nobody_waiting() {
    run(async {
        let world = World::with_settings(EngineSettings { threads: 1, ..settings() }).await;
        for (index, sql) in ENDLESS.iter().enumerate() {
            let id = format!("endless-{index}");
            let mut request = SqlRequest::new(local(), *sql, time(NOW), id.clone());
            request.limits.time = Duration::from_secs(250);
            let stream = world.engine.sql(request).await.expect("started");
            assert_eq!(world.ask("SELECT count(*) AS n FROM tasks").await.expect("answered meanwhile"), "n\n6\n");
            world.engine.cancel(&local(), &id).expect("it runs");
            assert_eq!(stream.collect().await.expect_err(sql).code, "sql_cancelled", "{sql}");
            world.idle().await;
        }
    });
}

#[test]
fn memory_is_limited() {
    run(async {
        let world = World::open().await;
        let sql = "SELECT value, count(*) FROM generate_series(1, 2000000) GROUP BY value ORDER BY value";
        let asked = world.ask_as(sql, Format::Csv, |request| request.limits.memory = 4 << 20).await;
        let problem = asked.expect_err("too little memory");
        assert_eq!((problem.class, problem.code), (ErrorClass::ResourcesExhausted, "sql_memory"), "{problem}");
        let sql = "SELECT array_length(array_agg(repeat('x', 1000))) FROM generate_series(1, 1000000)";
        let asked = world.ask_as(sql, Format::Csv, |request| request.limits.memory = 16 << 20).await;
        assert_eq!(asked.expect_err("too little memory").class, ErrorClass::ResourcesExhausted);
    });
}

#[test]
fn what_does_not_fit_is_spilled_when_there_is_a_place() {
    run(async {
        let place = tempfile::TempDir::new().expect("a folder");
        let settings = EngineSettings { spill_dir: Some(place.path().to_owned()), ..settings() };
        let world = World::with_settings(settings).await;
        let sql = "SELECT count(*) AS s, sum(n) AS n FROM (SELECT pad, count(*) AS n FROM \
                   (SELECT concat(repeat('x', 100), value) AS pad FROM generate_series(1, 600000)) GROUP BY pad)";
        let (text, stats) =
            world.ask_as(sql, Format::Csv, |request| request.limits.memory = 48 << 20).await.expect("spilled");
        assert_eq!(text, "s,n\n600000,600000\n");
        assert!(stats.spilled_bytes > 0 && stats.memory_peak <= 48 << 20, "{stats:?}");
    });
}

#[test]
fn the_place_to_spill_is_made_before_the_first_query() {
    run(async {
        let place = tempfile::TempDir::new().expect("a folder");
        let spill_dir = place.path().join("data/spill");
        let world = World::with_settings(EngineSettings { spill_dir: Some(spill_dir.clone()), ..settings() }).await;
        // Left to queries, two that come first at once would trip over each other: one of them got `File exists`.
        assert!(spill_dir.is_dir());
        assert_eq!(world.ask("SELECT 1 AS one").await.expect("answered"), "one\n1\n");
    });
}

#[test]
fn a_running_query_is_listed_and_cancelled() {
    run(async {
        let world = World::open().await;
        let mut request =
            SqlRequest::new(local(), "SELECT value FROM generate_series(1, 1000000000000)", time(NOW), "long");
        request.limits.rows = usize::MAX;
        let mut stream = world.engine.sql(request.clone()).await.expect("started");
        stream.next().await.expect("a batch").expect("rows");
        assert_eq!(world.engine.running(&local())[0].query_id, "long");
        let listed = world.ask("SELECT query_id, rows > 0 AS moved FROM system.queries WHERE query_id = 'long'").await;
        assert_eq!(listed.expect("listed"), "query_id,moved\nlong,true\n");
        let twice = world.engine.sql(request).await.err().expect("the id is taken");
        assert_eq!(twice.code, "query_id_in_use");
        let elsewhere = partitura_event::Workspace::new("other").expect("a workspace");
        assert_eq!(world.engine.cancel(&elsewhere, "long").expect_err("not theirs").code, "query_not_found");
        world.engine.cancel(&local(), "long").expect("cancelled");
        let mut last = None;
        while let Some(item) = stream.next().await {
            last = Some(item);
        }
        assert_eq!(last.expect("an end").expect_err("cancelled").code, "sql_cancelled");
        assert_eq!(world.engine.cancel(&local(), "long").expect_err("gone").class, ErrorClass::NotFound);
    });
}

#[test]
fn a_reader_that_goes_away_stops_the_query() {
    run(async {
        let world = World::open().await;
        let request =
            SqlRequest::new(local(), "SELECT value FROM generate_series(1, 1000000000000)", time(NOW), "left");
        drop(world.engine.sql(request).await.expect("started"));
        world.idle().await;
    });
}

#[test]
fn queries_at_once_are_limited() {
    run(async {
        let world = World::with_settings(EngineSettings { queries: 2, ..settings() }).await;
        let request =
            |id: &str| SqlRequest::new(local(), "SELECT value FROM generate_series(1, 1000000000)", time(NOW), id);
        let _first = world.engine.sql(request("1")).await.expect("runs");
        let _second = world.engine.sql(request("2")).await.expect("runs");
        let third = world.engine.sql(request("3")).await.err().expect("too many");
        assert_eq!((third.class, third.retry_after.is_some()), (ErrorClass::Busy, true));
    });
}

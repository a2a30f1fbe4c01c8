//! Questions that need few rows of many (the latest, the largest) are answered like any other.

use partitura_table::Delta;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{Event, NOTES, World, position, query, quiet, workspace};

const QUESTIONS: &[(&str, &str)] = &[
    ("items", "SELECT _pos, item, status FROM t ORDER BY _pos DESC, _ord DESC LIMIT 10"),
    ("items", "SELECT _pos, item, status FROM t ORDER BY _pos, _ord LIMIT 10"),
    ("items", "SELECT item, count, status FROM t ORDER BY count DESC NULLS LAST, item LIMIT 7"),
    ("items", "SELECT item, count, status FROM t ORDER BY count NULLS FIRST, item LIMIT 7"),
    ("items", "SELECT item FROM t WHERE status = 'busy' ORDER BY _pos DESC, _ord DESC LIMIT 5"),
    ("items", "SELECT item FROM t WHERE count = 77 ORDER BY _pos DESC LIMIT 5"),
    ("items", "SELECT max(_pos), max(count), max(item) FROM t"),
    ("items", "SELECT min(_pos) FROM t"),
    ("items", "SELECT max(_pos) FROM t WHERE status = 'done'"),
    ("items", "SELECT item, count FROM t WHERE _pos > 2000 ORDER BY count DESC NULLS LAST, item LIMIT 4"),
    ("items", "SELECT a.item FROM t AS a JOIN (SELECT _pos FROM t ORDER BY _pos DESC LIMIT 3) AS b ON a._pos = b._pos"),
    ("items", "SELECT count(*) FROM t AS a JOIN t AS b ON a.item = b.item AND a._pos = b._pos"),
    ("items_history", "SELECT item, _pos, _pos_to FROM t ORDER BY _pos_to DESC, _pos DESC, _ord LIMIT 6"),
    ("items_history", "SELECT max(_pos_to), min(_pos) FROM t"),
    ("notes", "SELECT * FROM t ORDER BY _pos DESC, _ord LIMIT 3"),
    ("notes", "SELECT _pos, text FROM t WHERE _pos BETWEEN 900 AND 905"),
    ("notes", "SELECT count(*), max(text) FROM t WHERE _pos > 3900 OR _pos < 20"),
    ("notes", "SELECT count(*) FROM t WHERE _pos = 99999999"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_rows_of_many_are_the_same_in_memory_and_in_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(31);
    let mut in_memory = World::new(&dir.path().join("memory"), quiet()).await;
    let mut in_files = World::new(&dir.path().join("files"), quiet()).await;
    for round in 0..6 {
        let keys = [50, 2_000, 100_000][round % 3];
        let events: Vec<Event> = (0..700).map(|_| Event::random(&mut rng, keys)).collect();
        in_memory.apply(events.clone()).await;
        in_files.apply(events).await;
        in_files.store.flush().await.expect("flushes");
    }
    let last: Vec<Event> = (0..60).map(|_| Event::random(&mut rng, 2_000)).collect();
    in_memory.apply(last.clone()).await;
    in_files.apply(last).await;
    for as_of in [None, Some(2_500), Some(10)] {
        for (table, sql) in QUESTIONS {
            let expected = query(&in_memory.store.snapshot(), 0, table, as_of, sql).await;
            let found = query(&in_files.store.snapshot(), 0, table, as_of, sql).await;
            assert_eq!(found, expected, "{sql} as of {as_of:?}");
        }
    }
}

/// Rows whose numbers say nothing about their positions, many to a fragment: first guesses are wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_are_found_wherever_they_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(32);
    let world = World::new(dir.path(), quiet()).await;
    let mut texts: Vec<u32> = (0..30_000).collect();
    texts.shuffle(&mut rng);
    for (round, texts) in texts.chunks(6_000).enumerate() {
        let after = round as u64 * 6_000;
        let batch = super::world::notes_of(texts.iter().map(|text| format!("{text:05}")), after);
        let upto = position(after + texts.len() as u64);
        let delta = Delta { table: NOTES.name, batch };
        world.store.apply(upto, vec![(workspace(0), vec![delta])]).await.expect("applies");
        world.store.flush().await.expect("flushes");
    }
    for limit in [1, 10, 3_000, 20_000] {
        let sql = format!(
            "SELECT sum(CAST(text AS BIGINT)) FROM (SELECT kind, text, _pos FROM t ORDER BY text DESC LIMIT {limit})"
        );
        let expected: u64 = (30_000 - limit..30_000).sum();
        assert_eq!(query(&world.store.snapshot(), 0, "notes", None, &sql).await, [expected.to_string()], "{sql}");
        let from = rng.random_range(0..30_000);
        let sql = format!("SELECT count(*) FROM (SELECT * FROM t WHERE _pos > {from} ORDER BY _pos LIMIT {limit})");
        let expected = limit.min(30_000 - from);
        assert_eq!(query(&world.store.snapshot(), 0, "notes", None, &sql).await, [expected.to_string()], "{sql}");
    }
}

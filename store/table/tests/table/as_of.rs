//! Random histories of applies, flushes, compactions and restarts: every past position stays the same.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{Event, World, check, query, quiet};

/// One random history.
async fn history(seed: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::new(dir.path(), quiet()).await;
    let keys = [2, 20, 400][rng.random_range(0..3)];
    for _ in 0..rng.random_range(5..40) {
        match rng.random_range(0..10) {
            0..=5 => {
                let events = (0..rng.random_range(1..30)).map(|_| Event::random(&mut rng, keys)).collect();
                world.apply(events).await;
            }
            6..=7 => world.store.flush().await.expect("flushes"),
            8 => world.store.maintain().await.expect("maintains"),
            _ => world.reopen().await,
        }
        if rng.random_bool(0.3) {
            world.check(None).await;
        }
    }
    world.check(None).await;
    let head = world.events.len() as u64;
    for end in 1..=head {
        if head < 100 || rng.random_bool(0.1) {
            world.check(Some(end)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_position_equals_the_model() {
    for seed in 0..24 {
        history(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_limits_and_counts_agree_between_memory_and_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut in_memory = World::new(&dir.path().join("memory"), quiet()).await;
    let mut mixed = World::new(&dir.path().join("mixed"), quiet()).await;
    for _ in 0..8 {
        let events: Vec<Event> = (0..60).map(|_| Event::random(&mut rng, 40)).collect();
        in_memory.apply(events.clone()).await;
        mixed.store.flush().await.expect("flushes");
        mixed.store.maintain().await.expect("maintains");
        mixed.apply(events).await;
    }
    let cases = [
        ("items", "SELECT count(*) FROM t"),
        ("items", "SELECT status, count(*), sum(count) FROM t GROUP BY status"),
        ("items", "SELECT item FROM t WHERE status = 'open'"),
        ("items", "SELECT item, count FROM t WHERE status IN ('open', 'done') AND count > 4"),
        ("items", "SELECT item FROM t WHERE count IS NULL OR NOT (count BETWEEN 2 AND 7)"),
        ("items", "SELECT count(*) FROM t WHERE item LIKE 'item-1%'"),
        ("items", "SELECT max(_pos), min(count) FROM t WHERE upper(status) = 'BUSY'"),
        ("items", "SELECT count(*) FROM (SELECT item FROM t LIMIT 5)"),
        ("items", "SELECT item FROM t ORDER BY count DESC NULLS LAST, item LIMIT 3"),
        ("items_history", "SELECT count(*) FROM t"),
        ("items_history", "SELECT item, _pos_to FROM t WHERE _pos_to > 300 AND status = 'done'"),
        ("items_history", "SELECT count(*) FROM t WHERE _pos_to - _pos > 10"),
        ("notes", "SELECT count(*) FROM t"),
        ("notes", "SELECT kind, count(text) FROM t GROUP BY kind"),
        ("notes", "SELECT text FROM t WHERE kind = 'kind-2' AND text IS NOT NULL"),
        ("items", "SELECT item, status, count, _pos, _ord, _key FROM t WHERE item = 'item-7'"),
        ("items", "SELECT item, _pos FROM t WHERE _pos > 100 AND _pos < 200"),
        ("notes", "SELECT * FROM t WHERE _pos = 123"),
        ("notes", "SELECT t.kind FROM t JOIN t AS u ON t._pos = u._pos WHERE u.kind <> t.kind"),
    ];
    for as_of in [None, Some(1), Some(77), Some(300), Some(450)] {
        for (table, sql) in cases {
            let expected = query(&in_memory.store.snapshot(), 0, table, as_of, sql).await;
            let found = query(&mixed.store.snapshot(), 0, table, as_of, sql).await;
            assert_eq!(found, expected, "{sql} as of {as_of:?}");
        }
    }
    check(&mixed.store.snapshot(), &mixed.events, None).await;
}

//! Flushes and maintenance that run by themselves, while rows are applied and read.

use std::time::Duration;

use partitura_table::{FaultPoint, TableSettings};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::world::{Event, World, position, quiet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_become_durable_without_being_asked() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let settings = TableSettings {
        flush_rows: 40,
        backlog_factor: 2,
        flush_after: Duration::from_millis(50),
        maintain: true,
        ..quiet()
    };
    let mut world = World::new(dir.path(), settings).await;
    world.faults.arm(FaultPoint::BeforeCommit, 2);
    for round in 0..60 {
        world.apply((0..10).map(|_| Event::random(&mut rng, 30)).collect()).await;
        if round % 10 == 0 {
            world.check(None).await;
        }
    }
    // The tail is bounded: at most two backlogs, one of them being flushed.
    assert!(world.store.status().tail_rows < 400, "{:?}", world.store.status());
    while world.store.position() < Some(position(600)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.check(None).await;
    assert_eq!(world.store.status().flush_error, None);
    assert!(world.store.status().flushes > 3);
    world.store.close().await.expect("closes");
    world.store.maintain().await.expect("does nothing any more");
    world.reopen().await;
    assert_eq!(world.store.position(), Some(position(600)));
    world.check(None).await;
    world.check(Some(321)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_goes_on_when_its_caller_is_gone() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(22);
    let mut world = World::new(dir.path(), quiet()).await;
    for wait in 0..20 {
        world.apply((0..10).map(|_| Event::random(&mut rng, 30)).collect()).await;
        let _ = tokio::time::timeout(Duration::from_millis(wait), world.store.flush()).await;
        world.check(None).await;
    }
    world.store.flush().await.expect("flushes");
    world.reopen().await;
    assert_eq!(world.store.position(), Some(position(200)));
    world.check(None).await;
}

//! Where batches are cut, flushed or interrupted leaves no trace in any table.

use std::sync::Arc;

use partitura_projection::builtin;
use partitura_table::FaultPoint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::random;
use super::world::{World, batches_of, workspace};

const EVENTS: usize = 1_500;

/// Fills one log, and returns it in a world whose tables were made one event at a time.
async fn reference() -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let world = World::new(batches_of(1)).await;
    for (number, events) in random::events(&mut rng, EVENTS).chunks(50).enumerate() {
        world.append(&workspace(["alpha", "beta"][number % 2]), events).await;
    }
    world.projector.catch_up().await.expect("catches up");
    world
}

async fn assert_same(reference: &World, other: &World, what: &str) {
    for name in ["alpha", "beta"] {
        let expected = reference.dump(&workspace(name), &[], true).await;
        let found = other.dump(&workspace(name), &[], true).await;
        assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>(), "{what}");
        for (table, rows) in &expected {
            assert_eq!(rows, &found[table], "{what}: table {table} of {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_do_not_depend_on_where_batches_are_cut() {
    let reference = reference().await;
    for size in [7, 1_000, 100_000] {
        let (log, clock) = (reference.log.clone(), reference.clock.clone());
        let world = World::over(log, clock, batches_of(size), builtin::all()).await;
        world.projector.catch_up().await.expect("catches up");
        assert_same(&reference, &world, &format!("batches of {size}")).await;
    }
}

const POINTS: [FaultPoint; 7] = [
    FaultPoint::BeforeWrite,
    FaultPoint::AfterHistory,
    FaultPoint::AfterTable,
    FaultPoint::BeforeSync,
    FaultPoint::BeforeCommit,
    FaultPoint::AfterCompaction,
    FaultPoint::BeforeCleanup,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_do_not_depend_on_flushes_compactions_restarts_and_deaths() {
    let reference = reference().await;
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let (log, clock) = (Arc::clone(&reference.log), reference.clock.clone());
    let mut world = World::over(log, clock, batches_of(1), builtin::all()).await;
    let mut more = true;
    while more {
        let batches = batches_of(rng.random_range(1..200));
        match rng.random_bool(0.5) {
            true => world.die_at(POINTS[rng.random_range(0..POINTS.len())], batches).await,
            false => world.reopen(batches).await,
        }
        for _ in 0..rng.random_range(1..4) {
            more = world.projector.step().await.expect("steps");
            if rng.random_bool(0.6) {
                world.store.flush().await.expect("flushes");
            }
            if rng.random_bool(0.2) {
                world.store.maintain().await.expect("maintains");
            }
        }
    }
    world.projector.catch_up().await.expect("catches up");
    assert_same(&reference, &world, "with restarts").await;
    world.store.flush().await.expect("flushes");
    world.reopen(batches_of(1)).await;
    assert_same(&reference, &world, "after a last restart").await;
}

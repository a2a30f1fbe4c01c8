//! Tables made again from the log are those that were there, and take their place while all goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use partitura_event::ErrorClass;
use partitura_projection::{Projection, RebuildRequest, builtin};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;

use super::poison;
use super::random;
use super::world::{World, batches_of, quiet, workspace};

fn request(world: &World, tables: &[&str]) -> RebuildRequest {
    RebuildRequest {
        tables: tables.iter().map(|name| (*name).to_owned()).collect(),
        folder: world.dir.path().with_extension("next"),
        settings: quiet(),
    }
}

async fn filled(batch: usize, events: usize) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let world = World::new(batches_of(batch)).await;
    for (number, events) in random::events(&mut rng, events).chunks(40).enumerate() {
        world.append(&workspace(["alpha", "beta"][number % 2]), events).await;
    }
    world.projector.catch_up().await.expect("catches up");
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rebuilt_tables_are_the_same_byte_for_byte() {
    let mut world = filled(7, 1_000).await;
    world.store.flush().await.expect("flushes");
    let before = [world.dump(&workspace("alpha"), &[], true).await, world.dump(&workspace("beta"), &[], true).await];
    let cases = [(7, &[][..]), (1, &[][..]), (1_000, &[][..]), (13, &["tasks", "documents"][..])];
    for (batch, tables) in cases {
        world.reopen(batches_of(batch)).await;
        let calls = Arc::new(AtomicU64::new(0));
        let counted = calls.clone();
        let watcher = Arc::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let rebuilt = world.projector.rebuild(request(&world, tables), watcher).await.expect("rebuilds");
        assert_eq!((rebuilt.events, rebuilt.position), (1_000, world.store.position()));
        assert_eq!(calls.load(Ordering::SeqCst), 1_000_u64.div_ceil(batch as u64));
        for restarted in [false, true] {
            if restarted {
                world.reopen(batches_of(7)).await;
            }
            for (name, before) in ["alpha", "beta"].iter().zip(&before) {
                let after = world.dump(&workspace(name), &[], true).await;
                assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
                for (table, rows) in before {
                    assert_eq!(rows, &after[table], "table {table} of {name} after {tables:?}, restarted: {restarted}");
                }
            }
        }
        assert!(!world.dir.path().with_extension("next").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_come_meanwhile_are_there_afterwards() {
    let world = filled(100, 600).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let projector = world.projector.clone();
    let running = tokio::spawn(async move { projector.run(async { drop(stopped.await) }).await });
    let mut more = random::events(&mut ChaCha8Rng::seed_from_u64(22), 400);
    more.iter_mut().for_each(|event| event.id.insert(0, 'm'));
    let appending = async {
        for events in more.chunks(20) {
            world.append(&workspace("alpha"), events).await;
            tokio::task::yield_now().await;
        }
    };
    let rebuilding = world.projector.rebuild(request(&world, &[]), Arc::new(|_| {}));
    let ((), rebuilt) = tokio::join!(appending, rebuilding);
    rebuilt.expect("rebuilds");
    stop.send(()).expect("it still runs");
    running.await.expect("it ends");
    world.projector.catch_up().await.expect("catches up");
    let fresh = World::over(world.log.clone(), world.clock.clone(), batches_of(1_000), builtin::all()).await;
    fresh.projector.catch_up().await.expect("catches up");
    for name in ["alpha", "beta"] {
        let name = workspace(name);
        assert_eq!(world.dump(&name, &[], true).await, fresh.dump(&name, &[], true).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parked_events_are_tried_again() {
    let fragile: &'static [Box<dyn Projection>] = poison::fragile_tasks();
    let mut world = World::with(batches_of(1_000), fragile).await;
    world.append(&workspace("w"), &poison::story()).await;
    world.projector.catch_up().await.expect("catches up");
    assert_eq!(world.dump(&workspace("w"), &[], false).await["parked_events"].len(), 1);
    world.repair(builtin::all()).await;
    world.projector.rebuild(request(&world, &[]), Arc::new(|_| {})).await.expect("rebuilds");
    let tables = world.dump(&workspace("w"), &[], false).await;
    assert!(tables.get("parked_events").is_none_or(Vec::is_empty), "{:?}", tables["parked_events"]);
    assert!(tables["tasks"][0].contains("title=boom"), "{:?}", tables["tasks"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_tables_are_refused() {
    let world = World::new(batches_of(1)).await;
    let problem = world.projector.rebuild(request(&world, &["task"]), Arc::new(|_| {})).await.expect_err("refused");
    assert_eq!((problem.class, problem.suggestions[0].as_str()), (ErrorClass::NotFound, "tasks"));
    let problem = world.projector.rebuild(request(&world, &["parked_events"]), Arc::new(|_| {})).await;
    assert_eq!(problem.expect_err("refused").class, ErrorClass::Invalid);
}

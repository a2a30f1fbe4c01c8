//! Every table as it was at a position is the table that the events up to there made.

use partitura_event::Position;
use partitura_projection::builtin;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::random;
use super::world::{World, batches_of, workspace};

const EVENTS: usize = 900;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_of_every_table_is_what_its_events_made() {
    let mut rng = ChaCha8Rng::seed_from_u64(51);
    let world = World::new(batches_of(60)).await;
    for (number, events) in random::events(&mut rng, EVENTS).chunks(30).enumerate() {
        world.append(&workspace(["alpha", "beta"][number % 3 % 2]), events).await;
        world.projector.catch_up().await.expect("catches up");
        if rng.random_bool(0.3) {
            world.store.flush().await.expect("flushes");
        }
        if rng.random_bool(0.1) {
            world.store.maintain().await.expect("maintains");
        }
    }
    let then = World::over(world.log.clone(), world.clock.clone(), batches_of(1), builtin::all()).await;
    for end in 1..=EVENTS as u64 {
        then.projector.step().await.expect("steps");
        if end < 20 || rng.random_bool(0.03) || end == EVENTS as u64 {
            for name in ["alpha", "beta"] {
                let expected = then.dump_at(&workspace(name), None).await;
                let found = world.dump_at(&workspace(name), Position::new(end)).await;
                assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>(), "as of {end}");
                for (table, rows) in &expected {
                    assert_eq!(rows, &found[table], "{table} of {name} as of {end}");
                }
            }
        }
    }
}

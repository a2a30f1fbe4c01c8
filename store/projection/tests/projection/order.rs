//! The same events in any order of arrival, some of them twice, give the same tables.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::random;
use super::world::{ARRIVAL, World, batches_of, workspace};

const SETS: u64 = 60;
const ARRIVALS: usize = 7;
const EVENTS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_do_not_depend_on_the_order_of_arrival() {
    for seed in 0..SETS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut events = random::events(&mut rng, EVENTS);
        let world = World::new(batches_of(16)).await;
        let names: Vec<_> = (0..ARRIVALS).map(|number| workspace(&format!("arrival-{number}"))).collect();
        for (number, name) in names.iter().enumerate() {
            match number {
                0 => {}
                1 => events.reverse(),
                2 => events.sort_by_key(|event| (event.time, event.id.clone())),
                _ => events.shuffle(&mut rng),
            }
            world.append(name, &events).await;
            // A client that is not sure sends again; what is there already changes nothing.
            let again: Vec<_> = events.iter().filter(|_| rng.random_bool(0.3)).cloned().collect();
            world.append(name, &again).await;
        }
        world.projector.catch_up().await.expect("catches up");
        let without: Vec<&str> = ARRIVAL.iter().copied().chain(["workspace"]).collect();
        let first = world.dump(&names[0], &without, false).await;
        assert_eq!(first["events"].len(), EVENTS);
        for name in &names[1..] {
            let other = world.dump(name, &without, false).await;
            assert_eq!(first.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "seed {seed}");
            for (table, rows) in &first {
                assert_eq!(rows, &other[table], "table {table} of {name}, seed {seed}: {events:#?}");
            }
        }
    }
}

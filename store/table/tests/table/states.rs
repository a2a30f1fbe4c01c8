//! Fold states come back for every key, from memory and from files.

use std::collections::HashMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::world::{Event, World, quiet, state, workspace};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_those_of_the_latest_version() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    // With a cache of no bytes every state comes from the tail or from Lance.
    for state_cache_bytes in [0, 1 << 20] {
        let settings = partitura_table::TableSettings { state_cache_bytes, ..quiet() };
        let mut world = World::new(&dir.path().join(state_cache_bytes.to_string()), settings).await;
        for round in 0..12 {
            world.apply((0..40).map(|_| Event::random(&mut rng, 60)).collect()).await;
            check(&world).await;
            match round % 4 {
                1 => world.store.flush().await.expect("flushes"),
                2 => world.store.maintain().await.expect("maintains"),
                3 => world.reopen().await,
                _ => {}
            }
            check(&world).await;
        }
    }
}

async fn check(world: &World) {
    for n in 0..2 {
        let mut latest: HashMap<&str, Vec<u8>> = HashMap::new();
        for (event, pos) in world.events.iter().zip(1..).filter(|(event, _)| event.workspace == n) {
            for (item, status, _) in &event.items {
                latest.insert(item, state(status, pos));
            }
        }
        let keys: Vec<String> = (0..70).map(|key| format!("item-{key}")).chain(["item-3".into()]).collect();
        let states = world.store.states(&workspace(n), "items", &keys).await.expect("reads");
        for (key, found) in keys.iter().zip(states) {
            assert_eq!(found.as_deref(), latest.get(key.as_str()).map(Vec::as_slice), "{key} of workspace {n}");
        }
    }
}

#[tokio::test]
async fn only_keyed_tables_have_states() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), quiet()).await;
    let problem = world.store.states(&workspace(0), "notes", &["a".into()]).await.expect_err("is refused");
    assert!(problem.detail.contains("not a keyed table"), "{problem}");
}

//! Tables rebuilt beside the live ones take their place, and old snapshots go on.

use partitura_event::ErrorClass;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::world::{Event, World, check, quiet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rebuilt_tables_replace_the_old_ones() {
    for tables in [&["notes", "items"][..], &["items"][..], &[][..]] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut world = World::new(&dir.path().join("tables"), quiet()).await;
        for _ in 0..5 {
            world.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
            world.store.flush().await.expect("flushes");
        }
        let old = world.store.snapshot();
        let mut next = World::new(&dir.path().join("tables.next"), quiet()).await;
        next.apply(world.events.clone()).await;
        world.store.adopt(&next.store, tables).await.expect("adopts");
        world.store.maintain().await.expect("maintains");
        check(&old, &world.events, Some(33)).await;
        drop(old);
        world.store.maintain().await.expect("maintains");
        for end in [None, Some(1), Some(50), Some(100)] {
            world.check(end).await;
        }
        world.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
        world.store.flush().await.expect("flushes");
        world.check(None).await;
        world.reopen().await;
        world.check(None).await;
        world.check(Some(60)).await;
    }
}

#[tokio::test]
async fn only_tables_of_the_same_position_are_taken() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut world = World::new(&dir.path().join("tables"), quiet()).await;
    let next = World::new(&dir.path().join("tables.next"), quiet()).await;
    world.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
    let problem = world.store.adopt(&next.store, &["items"]).await.expect_err("is refused");
    assert!(problem.detail.contains("at position 0 cannot replace tables at position 20"), "{problem}");
    let problem = world.store.adopt(&next.store, &["item"]).await.expect_err("is refused");
    assert_eq!((problem.class, problem.suggestions), (ErrorClass::NotFound, vec!["items".to_owned()]));
    world.check(None).await;
}

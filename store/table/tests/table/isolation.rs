//! A snapshot shows one position, whatever is applied, flushed, compacted or cleaned up meanwhile.

use partitura_event::ErrorClass;
use partitura_table::Delta;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::world::{Event, NOTES, World, check, deltas, position, quiet, workspace};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_never_changes() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut world = World::new(dir.path(), quiet()).await;
    let mut snapshots = vec![world.store.snapshot()];
    for round in 0..30 {
        world.apply((0..10).map(|_| Event::random(&mut rng, 12)).collect()).await;
        snapshots.push(world.store.snapshot());
        if round % 2 == 0 {
            world.store.flush().await.expect("flushes");
            snapshots.push(world.store.snapshot());
        }
        if round % 5 == 0 {
            world.store.maintain().await.expect("maintains");
            snapshots.push(world.store.snapshot());
        }
    }
    for snapshot in &snapshots {
        check(snapshot, &world.events, None).await;
    }
}

#[tokio::test]
async fn a_wrong_delta_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut world = World::new(dir.path(), quiet()).await;
    world.apply((0..20).map(|_| Event::random(&mut rng, 5)).collect()).await;
    let more: Vec<Event> = world.events.iter().cloned().chain((0..5).map(|_| Event::random(&mut rng, 5))).collect();
    let unknown = Delta { table: "nothing", batch: deltas(&more, 0)[0].1[0].batch.clone() };
    let wrong = [
        (20, deltas(&more, 20), "was applied before"),
        (25, deltas(&more, 10), "is not in (20, 25]"),
        (24, deltas(&more, 20), "is not in (20, 24]"),
        (25, vec![(workspace(0), vec![unknown])], "unknown table nothing"),
    ];
    for (upto, deltas, detail) in wrong {
        let problem = world.store.apply(position(upto), deltas).await.expect_err("is refused");
        assert_eq!(problem.class, ErrorClass::Internal);
        assert!(problem.detail.contains(detail), "{problem}");
        world.check(None).await;
    }
    assert_eq!(world.store.snapshot().position(), Some(position(20)));
}

#[tokio::test]
async fn names_and_columns() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), quiet()).await;
    let snapshot = world.store.snapshot();
    let columns = |name: &str| {
        let table = snapshot.table(&workspace(0), name, None)?;
        Some(table.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(columns("notes").as_deref(), Some("kind text _pos"));
    assert_eq!(columns("items").as_deref(), Some("item status count _pos"));
    assert_eq!(columns("items_history").as_deref(), Some("item status count _pos _pos_to"));
    assert_eq!(columns("notes_history"), None);
    assert_eq!(columns("nothing"), None);
    assert_eq!(NOTES.history_name(), None);
    assert!(snapshot.workspaces().is_empty());
}

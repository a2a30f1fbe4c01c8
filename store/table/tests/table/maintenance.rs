//! Days of small flushes leave few files, and nothing that somebody reads is removed.

use std::fs;
use std::path::Path;

use partitura_event::ErrorClass;
use partitura_table::TableStore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::world::{Event, SPECS, World, check, quiet};

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("lists").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_flushes_leave_few_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let settings = partitura_table::TableSettings { compact_fragments: 16, ..quiet() };
    let mut world = World::new(dir.path(), settings).await;
    let mut most = 0;
    for flush in 0..150 {
        world.apply((0..4).map(|_| Event::random(&mut rng, 50)).collect()).await;
        world.store.flush().await.expect("flushes");
        world.store.maintain().await.expect("maintains");
        if flush % 20 == 0 {
            most = most.max(files(dir.path()));
        }
    }
    // Six tables (two of them histories), each with at most some 24 fragments and their versions.
    assert!(most < 600, "{most} files");
    world.check(None).await;
    world.reopen().await;
    world.check(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_version_is_never_removed() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut world = World::new(dir.path(), quiet()).await;
    world.apply((0..40).map(|_| Event::random(&mut rng, 10)).collect()).await;
    world.store.flush().await.expect("flushes");
    let pinned = world.store.snapshot();
    for _ in 0..40 {
        world.apply((0..4).map(|_| Event::random(&mut rng, 10)).collect()).await;
        world.store.flush().await.expect("flushes");
        world.store.maintain().await.expect("maintains");
    }
    check(&pinned, &world.events, None).await;
    check(&pinned, &world.events, Some(17)).await;
    let before = files(dir.path());
    drop(pinned);
    world.store.maintain().await.expect("maintains");
    assert!(files(dir.path()) < before, "what was pinned is removed when nobody reads it");
    world.check(None).await;
}

#[tokio::test]
async fn another_format_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    for (text, words) in [
        (r#"{"format": 2}"#, "have format 2; this program reads format 1"),
        ("{", "is not a commit file"),
        ("[]", "it has no format"),
        (r#"{"format": 1}"#, "is not a commit file"),
    ] {
        fs::write(dir.path().join("COMMIT"), text).expect("writes");
        let problem = TableStore::open(dir.path(), quiet(), SPECS).await.expect_err("is refused");
        assert_eq!(problem.class, ErrorClass::Corrupt);
        assert!(problem.detail.contains(words), "{problem}");
        assert!(problem.hint.is_some());
    }
}

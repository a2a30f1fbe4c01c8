//! Crashes and full disks at every step of a flush, and power cuts that take what was not synced.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use partitura_table::FaultPoint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{Event, World, quiet};

const POINTS: [FaultPoint; 7] = [
    FaultPoint::BeforeWrite,
    FaultPoint::AfterHistory,
    FaultPoint::AfterTable,
    FaultPoint::BeforeSync,
    FaultPoint::BeforeCommit,
    FaultPoint::AfterCompaction,
    FaultPoint::BeforeCleanup,
];

/// Lets the armed fault happen, wherever it is.
async fn until_fault(world: &World) {
    for _ in 0..3 {
        if world.store.flush().await.is_err() || world.store.maintain().await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_step_is_tried_again_or_survives_a_crash() {
    for (seed, point) in (0..3).flat_map(|round| POINTS.map(|point| (round, point))) {
        let dir = tempfile::tempdir().expect("a folder");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = World::new(dir.path(), quiet()).await;
        for round in 0..8 {
            world.apply((0..15).map(|_| Event::random(&mut rng, 12)).collect()).await;
            world.faults.arm(point, rng.random_range(0..3));
            until_fault(&world).await;
            world.faults.disarm();
            world.check(None).await;
            if round % 2 == 0 {
                world.reopen().await;
            } else {
                world.apply(vec![Event::random(&mut rng, 12)]).await;
                world.store.flush().await.expect("the next attempt succeeds");
            }
            world.check(None).await;
        }
        world.store.flush().await.expect("flushes");
        world.reopen().await;
        for end in [5, 40, 90] {
            world.check(Some(end)).await;
        }
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("lists").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { list(&path) } else { vec![path] }).collect()
}

fn copy(from: &Path, to: &Path) {
    for file in list(from) {
        let target = to.join(file.strip_prefix(from).expect("is below"));
        fs::create_dir_all(target.parent().expect("has a folder")).expect("creates");
        fs::copy(&file, target).expect("copies");
    }
}

/// What a power cut does to a file that was not synced.
fn damage(rng: &mut ChaCha8Rng, file: &Path) {
    let bytes = fs::read(file).expect("reads");
    match rng.random_range(0..4) {
        0 => fs::remove_file(file).expect("removes"),
        1 => fs::write(file, &bytes[..rng.random_range(0..=bytes.len())]).expect("truncates"),
        2 => fs::write(file, vec![0; bytes.len()]).expect("zeroes"),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_takes_only_what_was_not_committed() {
    for seed in 0..16 {
        let dir = tempfile::tempdir().expect("a folder");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = World::new(&dir.path().join("0"), quiet()).await;
        for number in 1..=6 {
            for _ in 0..rng.random_range(0..4) {
                world.apply((0..10).map(|_| Event::random(&mut rng, 15)).collect()).await;
                world.store.flush().await.expect("flushes");
                if rng.random_bool(0.3) {
                    world.store.maintain().await.expect("maintains");
                }
            }
            let synced: HashSet<PathBuf> = list(&world.dir).into_iter().collect();
            world.apply((0..10).map(|_| Event::random(&mut rng, 15)).collect()).await;
            world.faults.arm(POINTS[rng.random_range(1..5)], 0);
            // The store removes what it wrote in vain, so the cut is looked at before it can: by copying.
            let cut = dir.path().join(number.to_string());
            let (before, after) = (world.dir.clone(), cut.clone());
            world.faults.on_fault(move || copy(&before, &after));
            until_fault(&world).await;
            if !cut.exists() {
                copy(&world.dir, &cut);
            }
            for file in list(&cut) {
                let original = world.dir.join(file.strip_prefix(&cut).expect("is below"));
                if !synced.contains(&original) {
                    damage(&mut rng, &file);
                }
            }
            world.reopen_at(&cut).await;
            world.check(None).await;
            let past = rng.random_range(1..=world.events.len() as u64);
            world.check(Some(past)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_not_alone_writes_nothing_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rng = ChaCha8Rng::seed_from_u64(41);
    let mut late = World::new(dir.path(), quiet()).await;
    late.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
    late.store.flush().await.expect("flushes");
    // Another server takes the folder over; the first one does not know it.
    let mut other = World::new(dir.path(), quiet()).await;
    other.events = late.events.clone();
    late.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
    other.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
    other.store.flush().await.expect("flushes");
    for _ in 0..2 {
        let problem = late.store.flush().await.expect_err("somebody else writes here");
        assert!(problem.detail.contains("somebody else writes to"), "{problem}");
        late.store.maintain().await.expect("does nothing");
    }
    late.check(None).await;
    other.check(None).await;
    other.apply((0..20).map(|_| Event::random(&mut rng, 10)).collect()).await;
    other.store.flush().await.expect("flushes");
    other.reopen().await;
    other.check(None).await;
}

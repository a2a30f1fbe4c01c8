//! The vector index through its public door: nearest, filtered, durable, and the gate of the approximate index.

use std::path::Path;
use std::sync::Arc;

use partitura_event::Position;
use partitura_table::text::{Closings, PositionSet, Visible};
use partitura_table::vector::{ChunkVector, TextHash, VectorIndex, VectorSettings};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIMS: usize = 16;

fn unit(values: impl IntoIterator<Item = f32>) -> Vec<f32> {
    let values: Vec<f32> = values.into_iter().collect();
    let norm = values.iter().map(|x| x * x).sum::<f32>().sqrt();
    values.into_iter().map(|x| x / norm).collect()
}

fn random(rng: &mut ChaCha8Rng) -> Vec<f32> {
    unit((0..DIMS).map(|_| rng.random_range(-1.0..1.0)))
}

fn chunk(version: u64, ordinal: u32, vector: Vec<f32>) -> ChunkVector {
    let hash = TextHash::of(&format!("{version}/{ordinal}"));
    ChunkVector { version, ordinal, start: 10 * ordinal, end: 10 * ordinal + 9, hash, vector }
}

fn axis(at: usize) -> Vec<f32> {
    (0..DIMS).map(|i| if i == at { 1.0 } else { 0.0 }).collect()
}

async fn open(dir: &Path, settings: VectorSettings) -> VectorIndex {
    VectorIndex::open(dir, "test@1", DIMS, settings).await.unwrap()
}

fn all(position: u64) -> Visible {
    Visible::new(Position::new(position).unwrap(), Arc::new(Closings::default()), None)
}

async fn nearest(index: &VectorIndex, query: &[f32], visible: &Visible, limit: usize) -> Vec<u64> {
    let hits = index.search(query, visible, limit, false).await.unwrap();
    hits.into_iter().map(|hit| hit.version).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_the_nearest_visible_documents() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path(), VectorSettings::default()).await;
    assert!(nearest(&index, &axis(0), &all(9), 5).await.is_empty());
    let near = unit((0..DIMS).map(|i| if i == 0 { 1.0 } else { 0.1 }));
    index.append(&[chunk(1, 0, axis(0)), chunk(1, 1, near.clone()), chunk(3, 0, near)]).await.unwrap();
    index.append(&[chunk(2, 0, axis(1)), chunk(1, 0, axis(5))]).await.unwrap();
    assert_eq!(index.status().rows, 4, "a version that is there is not added again");
    assert_eq!(nearest(&index, &axis(0), &all(9), 5).await, [1, 3, 2]);
    assert_eq!(nearest(&index, &axis(0), &all(9), 1).await, [1]);
    assert_eq!(nearest(&index, &axis(0), &all(2), 5).await, [1, 2], "made later");
    let closings = Arc::new(Closings::default());
    closings.close(Position::new(1).unwrap(), Position::new(4).unwrap());
    let visible = |at: u64| Visible::new(Position::new(at).unwrap(), closings.clone(), None);
    assert_eq!(nearest(&index, &axis(0), &visible(3), 5).await, [1, 3, 2]);
    assert_eq!(nearest(&index, &axis(0), &visible(4), 5).await, [3, 2]);
    let allowed = Arc::new(PositionSet::from_iter([2, 3]));
    let filtered = Visible::new(Position::new(9).unwrap(), closings, Some(allowed));
    assert_eq!(nearest(&index, &axis(1), &filtered, 5).await, [2, 3]);
    let hits = index.search(&axis(0), &all(9), 1, true).await.unwrap();
    assert_eq!((hits[0].start, hits[0].end), (0, 9), "the place of the best chunk");
    assert!((hits[0].score - 1.0).abs() < 1e-6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_are_those_that_comparing_with_each_gives() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let centres: Vec<_> = (0..20).map(|_| random(&mut rng)).collect();
    // Close together, and some the same, so that rounding would change the order.
    let mut near = |n: u64| unit(centres[n as usize % 20].iter().map(|x| x + rng.random_range(-0.02..0.02)));
    let mut chunks: Vec<_> = (1..=5_000).map(|n| chunk(n, 0, near(n))).collect();
    for n in 0..100 {
        chunks[n].vector = chunks[n + 100].vector.clone();
    }
    let index = open(dir.path(), VectorSettings::default()).await;
    index.append(&chunks).await.unwrap();
    let closings = Arc::new(Closings::default());
    (1..2_000).step_by(7).for_each(|n| closings.close(Position::new(n).unwrap(), Position::new(4_000).unwrap()));
    let some = Arc::new(PositionSet::from_iter((1..=5_000).filter(|n| n % 11 == 0)));
    for (position, allowed) in [(5_000, None), (3_000, None), (5_000, Some(some.clone())), (4_500, Some(some))] {
        let visible = Visible::new(Position::new(position).unwrap(), closings.clone(), allowed);
        for (query, limit) in [(1, 1), (2, 10), (3, 100), (4, 500)] {
            let query = unit(centres[query].iter().map(|x| x + 0.01));
            let product = |chunk: &ChunkVector| chunk.vector.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
            let mut all: Vec<_> = chunks.iter().filter(|chunk| visible.sees(chunk.version)).map(product).collect();
            all.sort_by(|a, b| b.total_cmp(a));
            let found = index.search(&query, &visible, limit, false).await.unwrap();
            assert_eq!(found.len(), limit.min(all.len()));
            assert!(found.iter().all(|hit| visible.sees(hit.version)));
            let off = found.iter().zip(&all).map(|(hit, truth)| (hit.score - truth).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{position}, the best {limit}: {off}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_appended_survives_and_what_was_not_named_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path(), VectorSettings::default()).await;
    index.append(&[chunk(1, 0, axis(0))]).await.unwrap();
    let current = std::fs::read(dir.path().join("CURRENT")).unwrap();
    index.append(&[chunk(2, 0, axis(1))]).await.unwrap();
    drop(index);
    // A crash before `CURRENT` was replaced, with a torn manifest behind it.
    std::fs::write(dir.path().join("CURRENT"), current).unwrap();
    let torn = dir.path().join(format!("chunks.lance/_versions/{}.manifest", u64::MAX - 7));
    std::fs::write(torn, b"").unwrap();
    let index = open(dir.path(), VectorSettings::default()).await;
    assert_eq!(nearest(&index, &axis(0), &all(9), 5).await, [1]);
    index.append(&[chunk(2, 0, axis(2)), chunk(3, 0, axis(3))]).await.unwrap();
    drop(index);
    let index = open(dir.path(), VectorSettings::default()).await;
    assert_eq!(nearest(&index, &axis(3), &all(9), 1).await, [3]);
    assert_eq!(index.known(&[TextHash::of("2/0"), TextHash::of("9/9")]).len(), 1);
    assert_eq!(index.of_version(2), [axis(2)]);
    // A crash in the very first append leaves files that nobody named.
    std::fs::remove_file(dir.path().join("CURRENT")).unwrap();
    drop(index);
    let index = open(dir.path(), VectorSettings::default()).await;
    assert_eq!(index.status().rows, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_approximate_index_is_used_only_if_it_finds_enough() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let chunks: Vec<_> = (1..=3_000).map(|n| chunk(n, 0, random(&mut rng))).collect();
    let settings = VectorSettings { exact_rows: 2_000, compact_fragments: 4, ..VectorSettings::default() };
    let index = open(dir.path(), settings.clone()).await;
    for part in chunks.chunks(500) {
        index.append(part).await.unwrap();
    }
    index.maintain().await.unwrap();
    let status = index.status();
    assert!(status.recall.unwrap() >= 0.95, "{status:?}");
    assert_eq!(status.fragments, 1, "compacted");
    // Rows that came after the index was built are found beside it.
    index.append(&[chunk(3_001, 0, axis(4))]).await.unwrap();
    assert_eq!(nearest(&index, &axis(4), &all(9_999), 1).await, [3_001]);
    let mut same = 0;
    for _ in 0..20 {
        let query = random(&mut rng);
        let exact = index.search(&query, &all(9_999), 10, true).await.unwrap();
        let found = nearest(&index, &query, &all(9_999), 10).await;
        same += exact.iter().filter(|hit| found.contains(&hit.version)).count();
    }
    assert!(same >= 190, "{same} of 200");
    drop(index);
    let index = open(dir.path(), settings.clone()).await;
    assert_eq!(index.status().recall, status.recall, "the index on disk is used again");
    let hits = index.search(&axis(4), &all(9_999), 10, false).await.unwrap();
    assert_eq!(hits, index.search(&axis(4), &all(9_999), 10, true).await.unwrap());
    drop(index);
    let gated = open(dir.path(), VectorSettings { recall: 1.1, ..settings }).await;
    gated.maintain().await.unwrap();
    assert_eq!(gated.status().recall, None, "no index can find that much");
    assert_eq!(nearest(&gated, &axis(4), &all(9_999), 1).await, [3_001]);
}

//! Two ranked lists become one. Pure: no index, no clock.

use std::collections::HashMap;

use partitura_table::text::Candidate;
use partitura_table::vector::VectorHit;

use super::reply::HitScores;
use super::request::{ALPHA, Fusion};

/// Share of the vectors for queries that are names or phrases: words that stand there beat likeness.
const ALPHA_LITERAL: f32 = 0.15;

/// One document of the fused list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ranked {
    pub version: u64,
    pub score: f32,
    pub scores: HitScores,
    /// The part of its text that is nearest by meaning, in bytes.
    pub near: Option<(u32, u32)>,
}

/// Puts two legs together. `literal` says that the query is a name or a phrase.
///
/// Words are scaled from 0 (nothing in common) to the best hit; cosines from the last of the list to the best,
/// because a cosine of 0 means nothing: what any two texts have in common depends on the model. A document
/// that one leg does not know gets nothing from it.
pub(super) fn fuse(fusion: Fusion, literal: bool, words: &[Candidate], vectors: &[VectorHit]) -> Vec<Ranked> {
    let alpha = match fusion {
        Fusion::Weighted { alpha } => Some(alpha.unwrap_or(if literal { ALPHA_LITERAL } else { ALPHA })),
        Fusion::Rrf { .. } => None,
    };
    let both = !words.is_empty() && !vectors.is_empty();
    let mut ranked: HashMap<u64, Ranked> = HashMap::with_capacity(words.len() + vectors.len());
    let best = words.first().map_or(0.0, |first| first.score);
    for (rank, word) in words.iter().enumerate() {
        let value = match fusion {
            Fusion::Rrf { k } => 1.0 / (k + rank as f32 + 1.0),
            Fusion::Weighted { .. } => weight(alpha, both, false) * scaled(word.score, 0.0, best),
        };
        let one = ranked.entry(word.version).or_insert_with(|| empty(word.version, alpha.filter(|_| both)));
        one.score += value;
        one.scores.text = Some(word.score);
        one.scores.rank_text = Some(rank + 1);
    }
    let (first, last) = (vectors.first().map_or(0.0, |hit| hit.score), vectors.last().map_or(0.0, |hit| hit.score));
    for (rank, hit) in vectors.iter().enumerate() {
        let value = match fusion {
            Fusion::Rrf { k } => 1.0 / (k + rank as f32 + 1.0),
            Fusion::Weighted { .. } => weight(alpha, both, true) * scaled(hit.score, last, first),
        };
        let one = ranked.entry(hit.version).or_insert_with(|| empty(hit.version, alpha.filter(|_| both)));
        one.score += value;
        one.near = Some((hit.start, hit.end));
        one.scores.vector = Some(hit.score);
        one.scores.rank_vector = Some(rank + 1);
    }
    ranked.into_values().collect()
}

fn empty(version: u64, alpha: Option<f32>) -> Ranked {
    Ranked { version, score: 0.0, scores: HitScores { alpha, ..HitScores::default() }, near: None }
}

fn weight(alpha: Option<f32>, both: bool, vectors: bool) -> f32 {
    match (alpha, both) {
        (Some(alpha), true) => {
            if vectors {
                alpha
            } else {
                1.0 - alpha
            }
        }
        _ => 1.0,
    }
}

fn scaled(score: f32, low: f32, high: f32) -> f32 {
    if high > low { (score - low) / (high - low) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(version: u64, score: f32) -> Candidate {
        Candidate { version, score }
    }

    fn vector(version: u64, score: f32) -> VectorHit {
        VectorHit { version, score, start: 0, end: 0 }
    }

    fn order(fusion: Fusion, literal: bool, words: &[Candidate], vectors: &[VectorHit]) -> Vec<u64> {
        let mut ranked = fuse(fusion, literal, words, vectors);
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.version.cmp(&b.version)));
        ranked.into_iter().map(|one| one.version).collect()
    }

    #[test]
    fn legs_are_put_together() {
        let words = [word(1, 10.0), word(2, 9.0), word(3, 1.0)];
        let vectors = [vector(3, 0.9), vector(2, 0.8), vector(4, 0.1)];
        let weighted = |alpha| Fusion::Weighted { alpha: Some(alpha) };
        for (fusion, literal, expected) in [
            (weighted(0.0), false, [1, 2, 3, 4]),
            (weighted(1.0), false, [3, 2, 1, 4]),
            (weighted(0.5), false, [2, 3, 1, 4]),
            (Fusion::Weighted { alpha: None }, true, [2, 1, 3, 4]),
            // First and third add up to a little more than twice second: 1/61 + 1/63 > 2/62.
            (Fusion::Rrf { k: 60.0 }, false, [3, 2, 1, 4]),
        ] {
            assert_eq!(order(fusion, literal, &words, &vectors), expected, "{fusion:?}");
        }
        assert_eq!(order(weighted(0.5), false, &words, &[]), [1, 2, 3]);
        assert_eq!(order(weighted(0.5), false, &[], &vectors), [3, 2, 4]);
        assert!(fuse(weighted(0.5), false, &words, &[]).iter().all(|one| one.score <= 1.0));
    }
}

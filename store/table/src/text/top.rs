//! The best versions that a query sees: by score, the newest first among equals.
//!
//! tantivy's own collector would give equal scores to the lowest address, which is chance, and would have
//! to be asked again whenever versions that no longer hold took the places. This one asks [`Visible`] only
//! about documents that would get in, and knows a total order, so that one pass is enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::query::Weight;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::index::Candidate;
use super::visible::Visible;

/// Points of a score of 1. Sums of floats depend on their order in the last bits, and the order on how the
/// index is split, so that scores are compared in steps.
const POINTS: f32 = 1e4;

/// Points, then version.
type Place = (u64, u64);

/// Gathers the best `limit`.
pub(super) struct Top {
    limit: usize,
    visible: Visible,
}

impl Top {
    pub fn new(limit: usize, visible: &Visible) -> Self {
        Self { limit, visible: visible.clone() }
    }
}

/// The best of one segment.
pub(super) struct SegmentTop {
    limit: usize,
    visible: Visible,
    versions: Column<u64>,
    best: BinaryHeap<Reverse<Place>>,
}

impl SegmentTop {
    /// Takes a document in if it is good enough; returns the score that the next one must exceed.
    fn offer(&mut self, doc: DocId, score: Score) -> Score {
        let points = (score.max(0.0) * POINTS).round() as u64;
        let is_full = self.best.len() == self.limit;
        let worst = if is_full { self.best.peek().map(|Reverse(worst)| *worst) } else { None };
        if worst.is_none_or(|worst| points >= worst.0)
            && let Some(version) = self.versions.first(doc)
            && worst.is_none_or(|worst| (points, version) > worst)
            && self.visible.sees(version)
        {
            if is_full {
                self.best.pop();
            }
            self.best.push(Reverse((points, version)));
        }
        match self.best.peek() {
            // One step lower, because equal points may still win by their version.
            Some(Reverse(worst)) if self.best.len() == self.limit => (worst.0 as f32 - 1.0) / POINTS,
            _ => Score::MIN,
        }
    }
}

impl SegmentCollector for SegmentTop {
    type Fruit = Vec<Place>;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.offer(doc, score);
    }

    fn harvest(self) -> Vec<Place> {
        self.best.into_iter().map(|Reverse(place)| place).collect()
    }
}

impl Collector for Top {
    type Fruit = Vec<Candidate>;
    type Child = SegmentTop;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentTop> {
        let versions = segment.fast_fields().u64("version")?;
        let best = BinaryHeap::with_capacity(self.limit.min(segment.max_doc() as usize) + 1);
        Ok(SegmentTop { limit: self.limit, visible: self.visible.clone(), versions, best })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, segments: Vec<Vec<Place>>) -> tantivy::Result<Vec<Candidate>> {
        let mut places: Vec<Place> = segments.into_iter().flatten().collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.truncate(self.limit);
        let candidate = |(points, version): Place| Candidate { version, score: points as f32 / POINTS };
        Ok(places.into_iter().map(candidate).collect())
    }

    /// No document is ever deleted, so that all that a segment scores are alive.
    fn collect_segment(
        &self,
        weight: &dyn Weight,
        ordinal: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<Vec<Place>> {
        let mut top = self.for_segment(ordinal, segment)?;
        weight.for_each_pruning(Score::MIN, segment, &mut |doc, score| top.offer(doc, score))?;
        Ok(top.harvest())
    }
}

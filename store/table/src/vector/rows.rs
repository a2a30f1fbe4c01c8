//! The rows in memory: which chunks there are, their vectors as one matrix, and the nearest by comparing with all.

use std::collections::HashMap;
use std::ops::Range;
use std::thread;

use lance_linalg::distance::Dot;

use super::chunk::{ChunkVector, TextHash};
use super::codes::{CodedQuery, Codes};
use crate::text::Visible;

/// Rows that one thread takes at a time; below twice that, no thread is worth starting.
const ROWS_PER_THREAD: usize = 32_768;

/// Where a chunk lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub version: u64,
    pub start: u32,
    pub end: u32,
}

/// All rows, in the order of the table. The chunks of a version follow each other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub dims: usize,
    pub places: Vec<Place>,
    by_hash: HashMap<TextHash, u32>,
    /// First row of each version.
    versions: HashMap<u64, u32>,
    matrix: Vec<f32>,
    codes: Codes,
}

impl Rows {
    pub fn new(dims: usize) -> Self {
        Self { dims, codes: Codes::new(dims), ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds a row.
    pub fn push(&mut self, chunk: &ChunkVector) {
        let row = self.places.len() as u32;
        self.places.push(Place { version: chunk.version, start: chunk.start, end: chunk.end });
        self.by_hash.entry(chunk.hash).or_insert(row);
        self.versions.entry(chunk.version).or_insert(row);
        self.matrix.extend_from_slice(&chunk.vector);
        self.codes.push(&chunk.vector);
    }

    /// Returns the vector of a row.
    pub fn vector(&self, row: u32) -> &[f32] {
        &self.matrix[row as usize * self.dims..][..self.dims]
    }

    /// Returns the vector of a text that was embedded before.
    pub fn known(&self, hash: &TextHash) -> Option<&[f32]> {
        self.by_hash.get(hash).map(|row| self.vector(*row))
    }

    /// Returns whether a version has a vector.
    pub fn contains(&self, version: u64) -> bool {
        self.versions.contains_key(&version)
    }

    /// Returns how many versions have a vector.
    pub fn versions(&self) -> usize {
        self.versions.len()
    }

    /// Returns the vectors of a version's chunks.
    pub fn of_version(&self, version: u64) -> impl Iterator<Item = &[f32]> {
        let first = self.versions.get(&version).map_or(self.places.len(), |row| *row as usize);
        let own = self.places[first..].iter().take_while(move |place| place.version == version);
        own.enumerate().map(move |(at, _)| self.vector((first + at) as u32))
    }

    /// Returns the product of `query` and a row, with all bits.
    pub fn product(&self, query: &[f32], row: u32) -> f32 {
        f32::dot(query, self.vector(row))
    }

    /// Returns the `limit` rows of `range` that are nearest to `query`, of those whose version `visible` sees, as
    /// (product, row), best first, the newest first among equals. Exact: see [`super::codes`].
    pub fn nearest(&self, query: &[f32], limit: usize, visible: &Visible, range: Range<usize>) -> Vec<(f32, u32)> {
        let coded = self.codes.query(query);
        let threads = range.len() / ROWS_PER_THREAD;
        let threads = threads.clamp(1, thread::available_parallelism().map_or(1, usize::from));
        let share = range.len().div_ceil(threads).max(1);
        let mut parts = range.clone().step_by(share).map(|from| from..(from + share).min(range.end));
        let scan = |part: Range<usize>| self.near(&coded, limit, visible, part);
        let found = if threads == 1 {
            parts.next().map(scan).unwrap_or_default()
        } else {
            thread::scope(|scope| {
                let started: Vec<_> = parts.map(|part| scope.spawn(move || scan(part))).collect();
                started.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
            })
        };
        let floor = floor(&mut found.clone(), limit) - 2.0 * coded.slack;
        let close = found.into_iter().filter(|(product, _)| *product >= floor);
        self.best(close.map(|(_, row)| (self.product(query, row), row)).collect(), limit)
    }

    /// Returns the best `limit`, best first; among equals the newest version first, wherever its row lies.
    pub fn best(&self, mut rows: Vec<(f32, u32)>, limit: usize) -> Vec<(f32, u32)> {
        let version = |row: u32| self.places[row as usize].version;
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (version(b.1), a.1).cmp(&(version(a.1), b.1))));
        rows.truncate(limit);
        rows
    }

    /// Returns the rows of a part that may be among the nearest, by their codes.
    fn near(&self, query: &CodedQuery, limit: usize, visible: &Visible, part: Range<usize>) -> Vec<(f32, u32)> {
        let mut kept: Vec<(f32, u32)> = Vec::with_capacity(4 * limit.min(part.len()));
        let (mut least, mut room) = (f32::NEG_INFINITY, 4 * limit);
        for row in part {
            let version = self.places[row].version;
            if !visible.allows(version) {
                continue;
            }
            let product = self.codes.product(query, row);
            if product < least || !visible.sees(version) {
                continue;
            }
            kept.push((product, row as u32));
            if kept.len() >= room {
                // True products are off by a slack at most: what is two below the last of the best cannot be better.
                least = floor(&mut kept, limit) - 2.0 * query.slack;
                kept.retain(|(product, _)| *product >= least);
                room = (4 * limit).max(2 * kept.len());
            }
        }
        kept
    }
}

/// Returns the product of the last of the best `limit`, or the lowest when there are fewer.
fn floor(rows: &mut [(f32, u32)], limit: usize) -> f32 {
    if rows.len() <= limit || limit == 0 {
        return f32::NEG_INFINITY;
    }
    rows.select_nth_unstable_by(limit - 1, |a, b| b.0.total_cmp(&a.0)).1.0
}

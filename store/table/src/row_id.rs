//! [`RowId`]: the name of one row version within its table, the same in memory, on disk and for ever.

use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{AsArray, RecordBatch, UInt8Array, UInt64Array};
use arrow::datatypes::{UInt8Type, UInt64Type};
use partitura_event::{ErrorClass, Problem};

use crate::schema::{ORD, POS};

/// `(_pos, _ord)` in one number that sorts like the pair. Rows lie in files in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowId(pub u64);

impl RowId {
    /// Joins a position (below 2^56) and an ordinal.
    pub fn new(pos: u64, ord: u8) -> Self {
        Self(pos << 8 | u64::from(ord))
    }

    /// Returns the position of the event that produced the row.
    pub fn pos(self) -> u64 {
        self.0 >> 8
    }
}

impl std::hash::Hash for RowId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Multiplies and folds: row ids are ours (nobody can choose colliding ones) and scans probe millions.
#[derive(Default)]
pub(crate) struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte) ^ self.0.rotate_left(8));
        }
    }

    fn write_u64(&mut self, n: u64) {
        let wide = u128::from(n) * 0x9E37_79B9_7F4A_7C15_u128;
        self.0 ^= (wide as u64) ^ ((wide >> 64) as u64);
    }
}

/// Map from row ids.
pub(crate) type RowIdMap<V> = std::collections::HashMap<RowId, V, BuildHasherDefault<FoldHasher>>;

/// The two columns of a batch that make its row ids.
pub(crate) struct RowIds {
    pos: UInt64Array,
    ord: UInt8Array,
}

impl RowIds {
    /// Reads `_pos` and `_ord` of a batch.
    pub fn of(batch: &RecordBatch) -> Result<Self, Problem> {
        let missing = |name: &str| Problem::new(ErrorClass::Internal, format!("a batch of rows has no {name}"));
        let pos = batch.column_by_name(POS).and_then(|column| column.as_primitive_opt::<UInt64Type>());
        let ord = batch.column_by_name(ORD).and_then(|column| column.as_primitive_opt::<UInt8Type>());
        Ok(Self { pos: pos.ok_or_else(|| missing(POS))?.clone(), ord: ord.ok_or_else(|| missing(ORD))?.clone() })
    }

    /// Returns the id of a row.
    pub fn get(&self, row: usize) -> RowId {
        RowId::new(self.pos.value(row), self.ord.value(row))
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.pos.len()
    }

    /// Returns how many rows, which must be sorted, are at or before a position.
    pub fn count_until(&self, end: u64) -> usize {
        if self.len() == 0 || self.pos.value(self.len() - 1) <= end {
            return self.len();
        }
        self.pos.values().partition_point(|pos| *pos <= end)
    }

    /// Returns the row with an id; the rows must be sorted.
    pub fn find(&self, id: RowId) -> Option<usize> {
        let from = self.pos.values().partition_point(|pos| *pos < id.pos());
        (from..self.len()).take_while(|row| self.get(*row) <= id).find(|row| self.get(*row) == id)
    }

    /// Returns all ids in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = RowId> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

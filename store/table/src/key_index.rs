//! Key → current row of one keyed table, in memory: the writer's answer to "which version does this close?".
//!
//! Keys are kept as 128 bits of BLAKE3: users choose the keys, and a chosen collision of a weaker
//! hash would close somebody else's row. An entry costs about 40 bytes, so a million tasks cost 40 MB.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::row_id::RowId;

/// 128 bits of the key's BLAKE3.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHash([u64; 2]);

impl KeyHash {
    /// Hashes a case-folded key.
    pub fn of(key: &str) -> Self {
        let hash = blake3::hash(key.as_bytes());
        let (low, rest) = hash.as_bytes().split_at(8);
        let word = |bytes: &[u8]| bytes.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte));
        Self([word(low), word(rest)])
    }
}

impl std::hash::Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// Passes on what is already a good hash.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// The current row of every key.
#[derive(Default)]
pub(crate) struct KeyIndex {
    rows: HashMap<KeyHash, RowId, BuildHasherDefault<Identity>>,
}

impl KeyIndex {
    /// Makes an index with room for `rows` keys.
    pub fn with_capacity(rows: usize) -> Self {
        Self { rows: HashMap::with_capacity_and_hasher(rows, BuildHasherDefault::default()) }
    }

    /// Returns the current row of a key.
    pub fn get(&self, key: &str) -> Option<RowId> {
        self.rows.get(&KeyHash::of(key)).copied()
    }

    /// Makes `id` the current row of `key` and returns the one before.
    pub fn replace(&mut self, key: &str, id: RowId) -> Option<RowId> {
        self.rows.insert(KeyHash::of(key), id)
    }

    /// Returns how many keys there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

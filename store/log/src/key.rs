//! 128-bit keys of what the log looks up: ids, streams and requests.
//!
//! A key is the first half of BLAKE3 over length-delimited parts, so that the index has short keys of
//! one size. Two names with one key would need about 2^64 names made for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use partitura_event::{EventId, Source, StreamName, Workspace};

use crate::cursor::Put;

thread_local! {
    /// Names are short: they are put together, in memory that is used again, and hashed in one call.
    static NAMES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Key of a name in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(crate) u128);

impl Key {
    /// Of `(workspace, source, id)`.
    pub(crate) fn event(workspace: &Workspace, source: &Source, id: &EventId) -> Self {
        Self::of(b'e', &[workspace.as_str(), source.as_str(), id.as_str()])
    }

    /// Of `(workspace, stream)`.
    pub(crate) fn stream(workspace: &Workspace, stream: &StreamName) -> Self {
        Self::of(b's', &[workspace.as_str(), stream.as_str()])
    }

    /// Of `(workspace, idempotency key)`.
    pub(crate) fn request(workspace: &Workspace, key: &str) -> Self {
        Self::of(b'r', &[workspace.as_str(), key])
    }

    fn of(domain: u8, parts: &[&str]) -> Self {
        let hash = NAMES.with_borrow_mut(|names| {
            names.clear();
            names.push(domain);
            for part in parts {
                names.put_u64(part.len() as u64);
                names.put(part.as_bytes());
            }
            blake3::hash(names)
        });
        let mut half = [0; 16];
        half.copy_from_slice(&hash.as_bytes()[..16]);
        Self(u128::from_be_bytes(half))
    }
}

/// A map by [`Key`], which is a hash already.
pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<Taken>>;

/// Takes the low half of a key as its hash.
#[derive(Default)]
pub(crate) struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

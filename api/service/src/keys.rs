//! The key ring: `keys.json` in the data folder, replaced as a whole at every change, read without a lock.

mod file;
mod ring;

pub use file::{KeyInfo, NewKey};
pub use ring::KeyRing;

//! The key ring: `keys.json` in the data folder, replaced as a whole at every change, read without a lock.

mod file;
mod ring;
mod scram;

pub use file::{KeyInfo, NewKey};
pub use ring::KeyRing;
pub use scram::{SCRAM_BYTES, SCRAM_ITERATIONS, ScramProof, salt as scram_salt};

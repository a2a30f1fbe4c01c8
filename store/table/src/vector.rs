//! Which documents mean something like this? The vectors of one workspace and one model, in Lance.
//!
//! A row is one chunk of one version of a document: where it lies in the text, the hash of the text that
//! the model read, its vector. Vectors are content-addressed: a text that was embedded before is not
//! embedded again, whichever document it stands in. The store knows a model by its hash only; another
//! model has another folder, so vectors of two models never meet.
//!
//! Rows come in any order (newest and knowledge first), so there is no position to follow from: what
//! is missing is the versions of the text index without a row here. The file `CURRENT` names the Lance
//! version whose files are on disk; what a crash left behind it is put aside and embedded again.
//!
//! Reading order: [`chunk`], [`rows`], [`codes`], [`index`], [`ann`].

pub mod chunk;
pub mod index;

mod ann;
mod codes;
mod current;
mod rows;

pub use chunk::{ChunkVector, TextHash};
pub use index::{VectorHit, VectorIndex, VectorSettings, VectorStatus};

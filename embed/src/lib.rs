//! Chunks and vectors: which pieces of a text are embedded, and what their vectors are.
//!
//! Everything runs on this machine. A text's vector is a pure function of the model's files and of the
//! text: one text is run at a time, because dynamic int8 quantisation would otherwise let a text's
//! neighbours in a batch change its vector. The store never learns what a model is: it keeps vectors
//! beside the model's id, and this crate is the only one that names fastembed and ONNX Runtime.
//!
//! Reading order: [`embedder`] (the contract), [`model`] (files and id), [`known`] (names), [`fast`] (ONNX Runtime),
//! [`hash`] (for tests), [`chunk`] (from a text to pieces of the model's window), [`passage`] (what of a document is embedded),
//! [`follow`] (what is missing), [`serving`] (which model answers).

pub mod chunk;
pub mod embedder;
pub mod fast;
pub mod follow;
pub mod hash;
pub mod known;
pub mod model;
pub mod passage;
pub mod serving;
mod session_pool;

pub use chunk::{Chunk, chunks};
pub use embedder::{Embedder, ModelId, Purpose};
pub use fast::FastEmbedder;
pub use follow::{EmbedProgress, VectorFollower};
pub use hash::HashEmbedder;
pub use known::KnownModel;
pub use model::{ModelSettings, Pooling};
pub use passage::Passage;
pub use serving::Serving;

//! The contract of a model: texts in, unit vectors out.

use std::fmt;
use std::ops::Range;

use partitura_event::Problem;

/// Name and content of a model. Vectors of different ids are never compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId {
    name: String,
    hash: String,
}

impl ModelId {
    /// Makes the id of a model whose files and settings have the digest `hash`.
    pub fn new(name: impl Into<String>, hash: &blake3::Hash) -> Self {
        Self { name: name.into(), hash: hash.to_hex()[..16].to_owned() }
    }

    /// Returns the name people know it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns 16 hex digits that change with the model's files and with every setting that changes vectors.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.hash)
    }
}

/// What a text is embedded for: some models want a prefix that tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A question. Does not wait behind passages.
    Query,
    /// A piece of a document.
    Passage,
}

/// A model that turns texts into vectors.
///
/// * **Pure.** The same text gives the same bits on the same machine, alone or among others, today and
///   after a restart, as long as [`model`](Self::model) is the same.
/// * **Unit length.** Vectors are normalised, so that a dot product is the cosine.
/// * **Blocking.** `embed` computes on the calling thread and may use others; call it where blocking is
///   allowed.
pub trait Embedder: Send + Sync + 'static {
    /// Returns the id of the model; constant.
    fn model(&self) -> &ModelId;

    /// Returns the length of its vectors; constant.
    fn dims(&self) -> usize;

    /// Returns how many tokens of one text count, without the model's own marks; constant.
    fn window(&self) -> usize;

    /// Returns the tokens of `text` as byte ranges of it, in order.
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, Problem>;

    /// Returns one vector for each of `texts`, in their order. What is beyond the window is ignored.
    fn embed(&self, texts: &[&str], purpose: Purpose) -> Result<Vec<Vec<f32>>, Problem>;
}

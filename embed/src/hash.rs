//! [`HashEmbedder`]: a model without weights, for tests: texts that share words are near each other.

use std::ops::Range;

use partitura_event::Problem;

use crate::embedder::{Embedder, ModelId, Purpose};

/// Adds up one pseudo-random direction per word. Deterministic on every machine, and instant.
#[derive(Clone, Debug)]
pub struct HashEmbedder {
    model: ModelId,
    dims: usize,
    window: usize,
}

impl HashEmbedder {
    /// Makes a model with vectors of length `dims` and a window of `window` words.
    pub fn new(dims: usize, window: usize) -> Self {
        let hash = blake3::hash(format!("words {dims} {window}").as_bytes());
        Self { model: ModelId::new("hash", &hash), dims, window }
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0_f32; self.dims];
        for word in words(text).into_iter().take(self.window) {
            let mut bytes = vec![0; self.dims];
            blake3::Hasher::new().update(text[word].to_lowercase().as_bytes()).finalize_xof().fill(&mut bytes);
            sum.iter_mut().zip(bytes).for_each(|(sum, byte)| *sum += f32::from(byte) - 127.5);
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        sum.iter().map(|x| x / norm).collect()
    }
}

impl Embedder for HashEmbedder {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn window(&self) -> usize {
        self.window
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, Problem> {
        Ok(words(text))
    }

    fn embed(&self, texts: &[&str], _purpose: Purpose) -> Result<Vec<Vec<f32>>, Problem> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }
}

/// Returns the byte ranges of the words of `text`.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        let end = at + c.len_utf8();
        match words.last_mut() {
            Some(word) if word.end == at => word.end = end,
            _ => words.push(at..end),
        }
    }
    words
}

//! From a text to pieces that fit the model's window, with the place of each in the text.

use std::ops::Range;

use partitura_event::Problem;

use crate::embedder::Embedder;

/// Tokens that a chunk repeats of the one before, so that no sentence is cut for both.
const OVERLAP: usize = 32;

/// One piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Byte range in the text it was cut from, on character borders.
    pub range: Range<usize>,
}

/// Cuts `text` into pieces of at most `budget` tokens, each repeating the last 32 tokens of the one before.
///
/// A text that fits is one chunk; a text without a token is none. Cuts fall between tokens, and
/// every token is in some chunk.
pub fn chunks(embedder: &dyn Embedder, text: &str, budget: usize) -> Result<Vec<Chunk>, Problem> {
    let tokens = embedder.tokens(text)?;
    let Some(last) = tokens.len().checked_sub(1) else { return Ok(Vec::new()) };
    let budget = budget.max(1);
    let step = budget - OVERLAP.min(budget / 4);
    let mut chunks = Vec::new();
    let mut first = 0;
    loop {
        let end = (first + budget - 1).min(last);
        chunks.push(Chunk { range: on_borders(text, tokens[first].start, tokens[end].end) });
        if end == last {
            return Ok(chunks);
        }
        first += step;
    }
}

/// Widens a range to character borders: byte-level tokens may split a character.
fn on_borders(text: &str, start: usize, end: usize) -> Range<usize> {
    let start = (0..=start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = (end.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    start..end
}

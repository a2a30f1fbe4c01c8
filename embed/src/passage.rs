//! What of a document is embedded: its title and text, and for a turn of a conversation the turns before.

use std::ops::Range;

use partitura_event::Problem;

use crate::chunk::chunks;
use crate::embedder::Embedder;

/// Most tokens of the window that a title may take.
const TITLE_TOKENS: usize = 48;
/// Of the window, the share left to the turns before must be at least this many tokens to be used.
const CONTEXT_TOKENS_MIN: usize = 8;

/// One text to embed, and the part of the document that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// What the model reads.
    pub text: String,
    /// The part of the document's text, in bytes.
    pub range: Range<usize>,
}

impl Passage {
    /// Cuts a document into passages that fit the model's window.
    ///
    /// Each begins with the title. A document that fits in one passage is preceded by as much of
    /// `context` (the turns before, one per line) as the window still holds, nearest turns first kept:
    /// alone, "yes, the second one" points nowhere.
    pub fn of(
        embedder: &dyn Embedder,
        title: Option<&str>,
        text: &str,
        context: Option<&str>,
    ) -> Result<Vec<Self>, Problem> {
        let title = title.map(str::trim).filter(|title| !title.is_empty() && !text.starts_with(title));
        let title = match title {
            Some(title) => head(embedder, title, TITLE_TOKENS)?,
            None => "",
        };
        let budget = embedder.window().saturating_sub(embedder.tokens(title)?.len()).max(1);
        let cut = chunks(embedder, text, budget)?;
        if cut.is_empty() && !title.is_empty() {
            return Ok(vec![Self { text: title.to_owned(), range: 0..text.len() }]);
        }
        let before = match (cut.as_slice(), context) {
            ([_], Some(context)) => {
                let room = budget.saturating_sub(embedder.tokens(text)?.len());
                if room >= CONTEXT_TOKENS_MIN { tail(embedder, context, room)? } else { "" }
            }
            _ => "",
        };
        let joined = |range: &Range<usize>| {
            [title, before, &text[range.clone()]].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>()
        };
        Ok(cut.into_iter().map(|chunk| Self { text: joined(&chunk.range).join("\n"), range: chunk.range }).collect())
    }
}

/// Returns the first `limit` tokens of `text`.
fn head<'a>(embedder: &dyn Embedder, text: &'a str, limit: usize) -> Result<&'a str, Problem> {
    let tokens = embedder.tokens(text)?;
    let end = tokens.get(limit).map_or(text.len(), |next| next.start);
    Ok(text.get(..end).unwrap_or(text).trim_end())
}

/// Returns the last `limit` tokens of `text`.
fn tail<'a>(embedder: &dyn Embedder, text: &'a str, limit: usize) -> Result<&'a str, Problem> {
    let tokens = embedder.tokens(text)?;
    let start = tokens.len().checked_sub(limit).map_or(0, |first| tokens[first].start);
    Ok(text.get(start..).unwrap_or("").trim_start())
}

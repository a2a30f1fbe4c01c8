//! Hybrid search: exact words, BM25 and vectors in one ranked list.
//!
//! # Life of a search
//!
//! 1. [`Searcher::search`] reads the request, and pins the text index of the workspace: its position is that
//!    of the answer. `min_position` waits for it; `as_of` goes back from it.
//! 2. `filter` turns the SQL predicate into the set of positions whose rows it lets through; both legs look
//!    only at these.
//! 3. The legs answer beside each other: words from tantivy, vectors from the model and Lance.
//! 4. `fusion` puts both on one scale and adds them up; ties go by the document's key.
//! 5. The ranked list is kept for five minutes, so that a cursor goes on in what was seen; then it is gone.
//! 6. The page's documents are read, marked, explained.
//!
//! A document that has no vector yet is found by its words. Without a model, search is by words.

pub mod context;
pub mod reply;
pub mod request;
pub mod searcher;

mod cursor;
mod filter;
mod fusion;
mod sql;

pub use context::{ContextReply, ContextRequest, Passage};
pub use filter::rehearse as rehearse_filter;
pub use reply::{Hit, HitScores, SearchReply};
pub use request::{Fusion, Mode, Recency, SearchPoint, SearchRequest};
pub use searcher::{Searcher, SearcherSettings, Suggested};
pub use sql::SqlModel;

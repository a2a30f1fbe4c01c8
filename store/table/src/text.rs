//! Which documents speak of these words? The text index of one workspace, on tantivy.
//!
//! A version of a document is the row of `documents` that the event at one position made; the position
//! names it. Versions are added and never changed; which of them count is decided at the time of the
//! query by [`Visible`]: made at or before the query's position, not replaced by then, and let through
//! by the filter. So a search at a position gives the same hits whenever it is asked.
//!
//! The position up to which the index has followed lies in the payload of the tantivy commit, in one
//! atomic step with the documents: after a crash the follower goes on from there.
//!
//! Reading order: [`document`], [`visible`], [`tokens`], [`query`], [`index`], [`view`], [`top`],
//! [`statistics`], [`suggest`].

pub mod document;
pub mod index;
pub mod query;
pub mod view;
pub mod visible;

mod conversation;
mod schema;
mod segment;
mod statistics;
mod suggest;
mod tokens;
mod top;

pub use document::Document;
pub use index::{Candidate, TextIndex};
pub use query::TextQuery;
pub use view::TextView;
pub use visible::{Closings, Ends, PositionSet, Visible};

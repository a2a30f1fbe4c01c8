//! Search behind the tables: for every workspace a text index and the vectors, kept up to date by followers.
//!
//! ```text
//! documents (+ history) ─► TextFollower ─► text index ─► embed::VectorFollower ─► vectors
//! ```
//!
//! A search answers at the position of the text index, at most some hundred milliseconds behind the tables;
//! vectors come later and are never waited for. Everything below the folder `search` can be removed: it is
//! made again from the tables.
//!
//! Reading order: [`store`], [`follow`].

pub mod follow;
pub mod store;

mod rows;
mod turns;

pub use follow::TextFollower;
pub use store::{SearchSettings, SearchSpace, SearchStore};

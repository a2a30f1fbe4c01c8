//! Strict JSON: which bytes are a value, and what is in it, without trusting either.
//!
//! Two steps. [`Cursor`] walks text and checks the grammar without building anything, so a body of
//! a million brackets costs nothing; [`parse`] builds the tree of one event, a [`Node`], within [`Limits`].
//! Numbers keep the spelling they came with: money never goes through a float, and integers above
//! 2⁵³ stay exact.
//!
//! [`Limits`]: crate::limits::Limits

mod build;
mod cursor;
mod fault;

pub(crate) use build::build;
pub use build::parse;
pub use cursor::{Cursor, text_of};
pub(crate) use fault::join;
pub use fault::{Fault, Lines};
pub use partitura_event::json::{Member, Node};

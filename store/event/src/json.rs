//! JSON as a tree that borrows from its text, in the order and with the number spelling of that text.

mod node;
mod scan;
mod write;

pub(crate) use node::number;
pub use node::{Member, Node};
pub use scan::plain;

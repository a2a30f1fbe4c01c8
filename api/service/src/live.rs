//! Following the log: one reader shares what is new with everybody who listens.
//!
//! [`filter`] says which events; [`feed`] reads and keeps the newest ones for all; [`tail`] is one listener, from any
//! position to the end and beyond; [`query`] answers a question again when its tables move.

pub mod feed;
pub mod filter;
pub mod query;
pub mod tail;

mod admission;
mod pump;
pub(crate) mod scan;

//! Arrow Flight SQL: decodes a request, makes one call of the service, encodes its answer. No rule lives here.
//!
//! Suggested reading order follows the module list. Life of a query: [`border`] finds the caller and counts the bytes
//! that come in; [`door`] reads the command; [`statement`] lets the service plan it and signs a ticket; the client
//! brings the ticket back, and [`rows`] streams what the service answers. Nothing is kept between the two calls: a
//! ticket holds the question, its position and its time, so it gives the same rows again.
//!
//! **Not here:** transactions, updates, Substrait plans. They are refused in [`refused`].

mod border;
mod listener;
mod upload;

mod door;

mod asked;
mod credentials;
mod refused;
mod status;

mod cancel;
mod prepared;
mod remembered;
mod rows;
mod sealed;
mod statement;

mod frames;
mod ingest;
mod params;

mod answer;
mod catalog;
mod keys;
mod sql_info;
mod type_info;

pub use listener::serve;

//! The Postgres wire: decodes a message, makes one call of the service, encodes its answer. No rule lives here.
//!
//! Suggested reading order follows the module list. Life of a connection: [`door`] is handed a stream; [`startup`] agrees
//! on encryption and reads who comes; [`auth`] lets the service find their key; [`session`] then takes message after
//! message. A statement is looked at by [`lexer`] and [`command`] only so far as to tell a question from what Postgres
//! clients say to keep house (`SET`, `BEGIN`, `DECLARE`, …); every question goes to the service as it came, and [`answer`]
//! streams its batches back.
//!
//! Messages are written by pgwire and values by arrow-pg. What comes in is read by [`frontend`], because it comes from
//! anybody: pgwire's reader trusts the lengths inside of a message.
//!
//! **Not here:** writes, `COPY … FROM`, `LISTEN`. SQL, its catalog and its functions are the engine's.

mod auth;
mod backends;
mod door;
mod scram;
mod session;
mod startup;
mod wire;

mod frontend;
mod problem;

mod command;
mod lexer;
mod utility;
mod words;

mod settings;
mod transaction;
mod variables;

mod extended;
mod portal;
mod simple;
mod statement;

mod answer;
mod columns;
mod copy;
mod parameter_text;
mod params;

pub use door::serve;

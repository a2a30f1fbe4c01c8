//! Webhooks: events posted to a URL, signed, in order, until the receiver has taken each.
//!
//! A webhook is a durable subscription with a consumer of ours. [`record`] is what a user asks for and what is kept;
//! [`signing`] is the secret and the signature of Standard Webhooks; [`address`] says which receivers may be asked,
//! [`sender`] asks them; [`attempts`] is what came of it; [`worker`] tries again; [`registry`] holds all;
//! [`calls`] is what users do.

pub mod attempts;
pub mod calls;
pub mod record;
pub mod registry;

mod address;
mod backoff;
mod sender;
mod signing;
mod table;
mod worker;

//! Durable subscriptions: the server remembers how far the consumers of a name have come.
//!
//! [`definition`] is what a user asks for; [`state`] decides who gets what, without disk or clock; [`file`] is what
//! survives; [`subscription`] joins them over the log; [`registry`] holds all of them; [`calls`] is what users do.

pub mod calls;
pub mod definition;
pub mod registry;
pub mod state;
pub mod subscription;

mod file;
mod table;

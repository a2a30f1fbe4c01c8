//! MCP: tools and resources by which an agent remembers, asks and records. No rule lives here.
//!
//! Suggested reading order follows the module list. Life of a call: [`door`] takes a whole request of the HTTP
//! listener, [`message`] checks its JSON as strictly as every other door does, rmcp speaks the protocol (both eras:
//! with the handshake and without), [`handler`] finds the tool in [`tools`], which decodes its [`arguments`], makes
//! one call of the service and answers with a [`reply`]: structured content within [`budget`], and a text whose
//! stored parts stand in a [`fence`].
//!
//! **Invariants.** No session is kept: every request stands for itself, with its own key. What was stored is never
//! put into a text without a fence. Every answer is cut at `mcp_bytes_max`.

pub mod door;
mod handler;
mod message;

mod tool;
mod tools;

mod arguments;
mod resources;
mod schema;

mod budget;
mod failure;
mod fence;
mod markdown;
mod reply;

pub use door::Mcp;

//! Flight SQL from outside: the real program and the clients that people use, in Python.
//!
//! `scripts/setup.sh clients` installs the clients; `scripts/env.sh` says where they are.

#[path = "door/answer.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod answer;
#[path = "door/key.rs"]
mod key;
#[path = "door/process.rs"]
mod process;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

#[path = "flight/python.rs"]
mod python;

#[path = "flight/access.rs"]
mod access;
#[path = "flight/bad_input.rs"]
mod bad_input;
#[path = "flight/connections.rs"]
mod connections;
#[path = "flight/ingest.rs"]
mod ingest;
#[path = "flight/metadata.rs"]
mod metadata;
#[path = "flight/query.rs"]
mod query;
#[path = "flight/ticket.rs"]
mod ticket;
#[path = "flight/tls.rs"]
mod tls;

//! The Postgres wire from outside: the real program, the clients that people use, and bytes that no client would send.
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

#[path = "pg/client.rs"]
mod client;
#[path = "pg/wire.rs"]
mod wire;
#[path = "pg/world.rs"]
mod world;

#[path = "pg/access.rs"]
mod access;
#[path = "pg/bad_input.rs"]
mod bad_input;
#[path = "pg/cursors.rs"]
mod cursors;
#[path = "pg/drivers.rs"]
mod drivers;
#[path = "pg/psql.rs"]
mod psql;
#[path = "pg/recorded.rs"]
mod recorded;
#[path = "pg/sessions.rs"]
mod sessions;
#[path = "pg/tls.rs"]
mod tls;

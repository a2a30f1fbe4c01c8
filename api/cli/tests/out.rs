//! Rows out of the house: files by URL, exports to folders and object stores, and the tools that read them.
//!
//! `scripts/setup.sh clients` installs the tools; `scripts/env.sh` says where they are.

#[path = "door/answer.rs"]
mod answer;
#[path = "door/process.rs"]
mod process;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

#[path = "out/tool.rs"]
mod tool;
#[path = "out/world.rs"]
mod world;

#[path = "out/connect.rs"]
mod connect;
#[path = "out/export.rs"]
mod export;
#[path = "out/files.rs"]
mod files;
#[path = "out/readers.rs"]
mod readers;
#[path = "out/schedule.rs"]
mod schedule;
#[path = "out/store.rs"]
mod store;

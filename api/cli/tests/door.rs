//! The real program, from outside: one server process per story, spoken to over HTTP and by its own commands.

#[path = "door/answer.rs"]
mod answer;
#[path = "door/embedding.rs"]
mod embedding;
#[path = "door/key.rs"]
mod key;
#[path = "door/server.rs"]
mod server;

#[path = "door/access.rs"]
mod access;
#[path = "door/append.rs"]
mod append;
#[path = "door/bad_input.rs"]
mod bad_input;
#[path = "door/care.rs"]
mod care;
#[path = "door/command_line.rs"]
mod command_line;
#[path = "door/connections.rs"]
mod connections;
#[path = "door/description.rs"]
mod description;
#[path = "door/isolation.rs"]
mod isolation;
#[path = "door/limits.rs"]
mod limits;
#[path = "door/metrics.rs"]
mod metrics;
#[path = "door/pressure.rs"]
mod pressure;
#[path = "door/read.rs"]
mod read;
#[path = "door/search.rs"]
mod search;
#[path = "door/secrets.rs"]
mod secrets;
#[path = "door/start_and_stop.rs"]
mod start_and_stop;
#[path = "door/telemetry.rs"]
mod telemetry;

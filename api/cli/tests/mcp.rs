//! MCP through the official clients of two languages, both eras of the protocol, over HTTP and over stdio.

#[path = "door/answer.rs"]
mod answer;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

#[path = "mcp/client.rs"]
mod client;

#[path = "mcp/care.rs"]
mod care;
#[path = "mcp/protocol.rs"]
mod protocol;
#[path = "mcp/stdio.rs"]
mod stdio;
#[path = "mcp/tools.rs"]
mod tools;

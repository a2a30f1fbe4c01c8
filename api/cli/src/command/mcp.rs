//! `partitura mcp`: speaks MCP on standard input and output, for clients that start their servers.

use clap::Args;

use crate::args::Shared;
use crate::connection::Connection;
use crate::failure::Outcome;
use crate::stdio;

/// Speaks MCP on standard input and output.
#[derive(Args, Debug)]
pub struct Mcp {}

impl Mcp {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let connection = Connection::open_or_serve(shared).await?;
        connection.run(async |client| stdio::relay(client).await).await
    }
}

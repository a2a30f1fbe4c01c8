//! `partitura tail`: prints events as they come.

use std::io::Write;

use clap::Args;
use futures::StreamExt;
use reqwest::Method;
use serde_json::Value;

use crate::args::{OutputFormat, Shared};
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::rows::{self, RowWriter};

/// Prints events as they come.
#[derive(Args, Debug)]
pub struct Tail {
    /// Begin after this position; 0 is the beginning [default: the end]
    #[arg(long)]
    after: Option<u64>,
    /// Only events of these types, comma-separated; `task.*` for all that begin so
    #[arg(long = "type")]
    types: Option<String>,
    /// Only events of this stream; `task/*` for all that begin so
    #[arg(long)]
    stream: Option<String>,
    /// Only events by this actor
    #[arg(long)]
    actor: Option<String>,
    /// Only events with this agent in their data
    #[arg(long)]
    agent_id: Option<String>,
    /// Stop when there is nothing newer
    #[arg(long)]
    no_follow: bool,
}

const COLUMNS: &[&str] = &["position", "time", "type", "stream", "id", "data"];

impl Tail {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let connection = Connection::open(shared).await?;
        // Lines of a table would have to wait for the widest one, so a stream is printed as lines of JSON by default.
        let format = shared.format.unwrap_or(OutputFormat::Ndjson);
        connection.run(async |client| self.follow(client, format).await).await
    }

    async fn follow(&self, client: &Client, format: OutputFormat) -> Outcome {
        let after = self.after.map_or_else(|| "now".to_owned(), |after| after.to_string());
        let filter =
            [("type", &self.types), ("stream", &self.stream), ("actor", &self.actor), ("agent_id", &self.agent_id)];
        let mut query = vec![("after_position", after)];
        query.extend(filter.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        let request = client.request(Method::GET, "/v1/events/stream").query(&query);
        let mut chunks = client.send(request).await?.bytes_stream();
        let mut out = RowWriter::begin(COLUMNS, format)?;
        let mut pending = Vec::new();
        while let Some(chunk) = chunks.next().await {
            pending.extend_from_slice(&chunk?);
            while let Some(end) = pending.windows(2).position(|pair| pair == b"\n\n") {
                let message: Vec<u8> = pending.drain(..end + 2).collect();
                let (kind, data) = parse(&String::from_utf8_lossy(&message));
                match kind.as_str() {
                    // As it came: its members in the order of the table, its numbers digit by digit.
                    "event" if format == OutputFormat::Ndjson => writeln!(std::io::stdout(), "{data}")?,
                    "event" => out.write(&rows::row(&serde_json::from_str(&data).unwrap_or(Value::Null)))?,
                    "caught_up" if self.no_follow => return Ok(out.end()?),
                    "error" => return Err(Failure::of_answer(500, data.as_bytes())),
                    _ => {}
                }
            }
            std::io::stdout().flush()?;
        }
        out.end()?;
        Err(Failure::found("the server ended the stream; start again with --after"))
    }
}

/// Reads one server-sent event: its name and its data.
fn parse(message: &str) -> (String, String) {
    let field = |name: &str| {
        let values = message.lines().filter_map(|line| line.strip_prefix(name));
        values.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
    };
    (field("event:"), field("data:"))
}

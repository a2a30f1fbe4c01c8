//! `partitura append`: events from files or standard input, as JSON or one a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use clap::Args;
use serde_json::value::RawValue;

use crate::args::Shared;
use crate::batches::{Batches, Refused, Tally};
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::rows;

/// Appends events.
#[derive(Args, Debug)]
pub struct Append {
    /// Files of JSON or NDJSON events; standard input when none is named
    files: Vec<PathBuf>,
    /// Refuse fields that the event's kind does not have
    #[arg(long)]
    strict: bool,
}

impl Append {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let connection = Connection::open_or_create(shared).await?;
        let tally = connection.run(async |client| self.send(client).await).await?;
        rows::print_one(&tally.row(), &["position", "new", "duplicates", "refused"], shared.format)?;
        tally.tell_redactions();
        tally.outcome()
    }

    async fn send(&self, client: &Client) -> Result<Tally, Failure> {
        let query = if self.strict { "?strict=true" } else { "" };
        let report = |refused: Refused<'_>| {
            let why = refused.error["detail"].as_str().unwrap_or("refused");
            eprintln!("line {}: {why}", refused.tag);
        };
        let mut batches = Batches::new(client, query, report);
        if self.files.is_empty() {
            send(BufReader::new(std::io::stdin()), &mut batches).await?;
        }
        for path in &self.files {
            let file = File::open(path).map_err(|error| Failure::of_file(path, error))?;
            send(BufReader::new(file), &mut batches).await?;
        }
        batches.finish().await
    }
}

/// One event a line; a file that begins with `[`, or whose first line is not a whole value, is one JSON text.
async fn send<R: FnMut(Refused<'_>)>(mut input: impl BufRead, batches: &mut Batches<'_, R>) -> Outcome {
    let mut first = String::new();
    while first.trim().is_empty() {
        first.clear();
        if input.read_line(&mut first)? == 0 {
            return Ok(());
        }
    }
    let is_list = first.trim_start().starts_with('[');
    if is_list || serde_json::from_str::<&RawValue>(&first).is_err() {
        input.read_to_string(&mut first)?;
        let wrong = |error| Failure::usage(format!("the input is neither JSON nor one event a line: {error}"));
        // Events keep their spelling: a number that went through a float would be another number.
        let events: Vec<&RawValue> = match is_list {
            true => serde_json::from_str(&first).map_err(wrong)?,
            false => vec![serde_json::from_str(&first).map_err(wrong)?],
        };
        for (n, event) in events.iter().enumerate() {
            // Within strings a line break is always escaped, so these are white space.
            batches.push(n as u64 + 1, &event.get().replace(['\n', '\r'], " ")).await?;
        }
        return Ok(());
    }
    batches.push(1, first.trim()).await?;
    for (n, line) in input.lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            batches.push(n as u64 + 2, line.trim()).await?;
        }
    }
    Ok(())
}

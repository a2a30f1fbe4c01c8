//! `partitura sql`: asks in SQL, prints the rows as they come.

use std::io::Read;

use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::args::{OutputFormat, Shared};
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::rows;

/// Asks in SQL.
#[derive(Args, Debug)]
pub struct Sql {
    /// The query; standard input when it is left out or `-`
    query: Option<String>,
    /// A value for `$name`, as NAME=VALUE; JSON values keep their type
    #[arg(long, short = 'p', value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Most rows
    #[arg(long)]
    limit: Option<u64>,
    /// Longest time, in milliseconds
    #[arg(long)]
    timeout_ms: Option<u64>,
    /// Answer as of a position, a time, or `now-7d`
    #[arg(long)]
    as_of: Option<String>,
    /// Wait until this position is known
    #[arg(long)]
    min_position: Option<u64>,
}

impl Sql {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let mut body = Map::new();
        body.insert("sql".into(), self.text()?.into());
        body.insert("params".into(), self.params()?);
        body.insert("format".into(), server_format(rows::format_or_default(shared.format)).into());
        let more = [("limit", self.limit.map(Value::from)), ("timeout_ms", self.timeout_ms.map(Value::from))];
        let at = [("as_of", self.as_of.map(Value::from)), ("min_position", self.min_position.map(Value::from))];
        for (name, value) in more.into_iter().chain(at) {
            if let Some(value) = value {
                body.insert(name.into(), value);
            }
        }
        let connection = Connection::open(shared).await?;
        connection.run(async |client| ask(client, &Value::Object(body)).await).await
    }

    fn text(&self) -> Result<String, Failure> {
        match self.query.as_deref() {
            Some(text) if text != "-" => Ok(text.to_owned()),
            _ => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                Ok(text)
            }
        }
    }

    fn params(&self) -> Result<Value, Failure> {
        let mut params = Map::new();
        for given in &self.param {
            let (name, text) =
                given.split_once('=').ok_or_else(|| Failure::usage(format!("--param {given}: write NAME=VALUE")))?;
            let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            params.insert(name.trim_start_matches('$').to_owned(), value);
        }
        Ok(Value::Object(params))
    }
}

async fn ask(client: &Client, body: &Value) -> Outcome {
    let request = client.request(Method::POST, "/v1/sql").json(body);
    let response = client.send(request).await?;
    let cut = response.headers().contains_key("x-partitura-truncated");
    client.copy(response, &mut std::io::stdout().lock()).await?;
    if cut {
        eprintln!("there are more rows: a limit cut them; see --limit and the setting query_rows_max");
    }
    Ok(())
}

/// Returns the server's name of an output format.
pub const fn server_format(format: OutputFormat) -> &'static str {
    match format {
        OutputFormat::Table => "pretty",
        OutputFormat::Json => "json",
        OutputFormat::Ndjson => "ndjson",
        OutputFormat::Csv => "csv",
        OutputFormat::Markdown => "markdown",
    }
}

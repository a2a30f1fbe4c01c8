//! `partitura search`: asks in words.

use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::args::{OutputFormat, Shared};
use crate::connection::Connection;
use crate::failure::Outcome;
use crate::rows::{self, Row};

/// Asks in words.
#[derive(Args, Debug)]
pub struct Search {
    /// What to look for
    query: String,
    /// hybrid, text, semantic or auto
    #[arg(long)]
    mode: Option<String>,
    /// A condition in SQL, such as "kind = 'knowledge'"
    #[arg(long)]
    filter: Option<String>,
    /// Most hits
    #[arg(long, default_value_t = 10)]
    limit: u64,
    /// Scan exactly instead of by an approximate index
    #[arg(long)]
    exact: bool,
    /// Answer as of a position, a time, or `now-7d`
    #[arg(long)]
    as_of: Option<String>,
    /// Wait until this position is known
    #[arg(long)]
    min_position: Option<u64>,
}

impl Search {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let mut body = Map::new();
        body.insert("query".into(), json!(self.query));
        body.insert("limit".into(), json!(self.limit));
        let optional = [
            ("mode", self.mode.map(Value::from)),
            ("filter", self.filter.map(Value::from)),
            ("exact", self.exact.then(|| true.into())),
            ("as_of", self.as_of.map(Value::from)),
            ("min_position", self.min_position.map(Value::from)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                body.insert(name.into(), value);
            }
        }
        let body = Value::Object(body);
        let connection = Connection::open(shared).await?;
        let answer = connection.run(async |client| client.json(Method::POST, "/v1/search", Some(&body)).await).await?;
        let hits: Vec<Row> = answer["hits"].as_array().into_iter().flatten().map(rows::row).collect();
        let format = rows::format_or_default(shared.format);
        match format {
            OutputFormat::Json => println!("{}", serde_json::to_string_pretty(&answer).unwrap_or_default()),
            _ => rows::print(&hits, &["score", "kind", "id", "title", "text"], format)?,
        }
        Ok(())
    }
}

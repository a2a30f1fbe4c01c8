//! `partitura rebuild`: builds tables anew from the log, beside the live ones, then swaps.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use crate::args::Shared;
use crate::connection::Connection;
use crate::failure::Outcome;
use crate::{progress, rows};

/// Builds tables anew.
#[derive(Args, Debug)]
pub struct Rebuild {
    /// Tables to build; all when none is named
    tables: Vec<String>,
    /// Compute the vectors of all texts again, in the background, and build only the tables that are named
    #[arg(long)]
    vectors: bool,
}

impl Rebuild {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let connection = Connection::open(shared).await?;
        let bar = progress::step("building tables from the log");
        let body = json!({"tables": self.tables, "vectors": self.vectors});
        let answer = connection.run(async |client| client.json(Method::POST, "/v1/rebuild", Some(&body)).await).await;
        bar.finish_and_clear();
        Ok(rows::print_one(
            &answer?,
            &["tables", "events", "parked", "position", "took_ms", "vectors_pending"],
            shared.format,
        )?)
    }
}

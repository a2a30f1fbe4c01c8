//! Times SQL statements over the real door: several runs each, best and median.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::{Failure, percentile};

/// What to ask.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// File of statements, separated by `;`.
    #[arg(long)]
    pub file: PathBuf,
    /// Runs of each statement.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
}

/// Runs each statement and returns its times in milliseconds.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let http = Client::new(url)?;
    let text = std::fs::read_to_string(&options.file)?;
    let mut results = Vec::new();
    for sql in text.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
        let body = json!({"sql": sql, "timeout_ms": 300_000, "format": "arrow"});
        let mut times = Vec::new();
        for _ in 0..options.runs {
            let started = Instant::now();
            http.post("/v1/sql", &body).await?.bytes().await?;
            times.push(started.elapsed());
        }
        let best = percentile::at(&mut times, 0.0);
        results.push(json!({"sql": sql, "best_ms": best, "median_ms": percentile::at(&mut times, 0.5)}));
    }
    Ok(json!({"load": "query", "runs": options.runs, "statements": results}))
}

//! Tiny writes: one event per request, one request after the other.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::history::Kind;
use crate::{Failure, percentile};

/// What to write.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How many events.
    #[arg(long, default_value_t = 21_600)]
    pub events: u64,
    /// Number of the first.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// Pause after each.
    #[arg(long, default_value_t = 0)]
    pub pause_us: u64,
}

/// Writes, and returns latencies of the acknowledge.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let http = Client::new(url)?;
    let started = Instant::now();
    let mut latencies = Vec::new();
    for n in options.from..options.from + options.events {
        let body = Kind::Lives.batch(n, n + 1);
        let sent = Instant::now();
        http.append(&body).await?;
        latencies.push(sent.elapsed());
        if options.pause_us > 0 {
            tokio::time::sleep(Duration::from_micros(options.pause_us)).await;
        }
    }
    Ok(json!({
        "load": "trickle", "events": options.events, "seconds": started.elapsed().as_secs_f64(),
        "ack_ms": percentile::summary(&mut latencies),
    }))
}

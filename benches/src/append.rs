//! Durable appends: N clients, one batch in flight each, for a fixed time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::{Failure, event, percentile};

/// What to write.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Clients, each with one request in flight.
    #[arg(long, default_value_t = 32)]
    pub clients: usize,
    /// Events in a request.
    #[arg(long, default_value_t = 100)]
    pub batch: usize,
    /// About this many bytes in an event.
    #[arg(long, default_value_t = 1024)]
    pub bytes: usize,
    /// How long to write.
    #[arg(long, default_value_t = 15.0)]
    pub seconds: f64,
    /// Events per second of all clients together; as many as are taken when not given.
    #[arg(long)]
    pub rate: Option<f64>,
    /// First id, so that a second run writes other events.
    #[arg(long, default_value_t = 0)]
    pub first: u64,
}

/// Writes, and returns events per second and latencies of the acknowledge.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let refused = Arc::new(AtomicU64::new(0));
    let clients: Vec<Client> = (0..options.clients).map(|_| Client::new(url)).collect::<Result<_, _>>()?;
    let started = Instant::now();
    let one = |(at, http)| tokio::spawn(one(http, at, options.clone(), started, refused.clone()));
    let tasks: Vec<_> = clients.into_iter().enumerate().map(one).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let seconds = started.elapsed().as_secs_f64();
    let events = latencies.len() * options.batch;
    Ok(json!({
        "load": "append", "clients": options.clients, "batch": options.batch, "bytes": options.bytes,
        "events": events, "seconds": seconds, "events_per_second": events as f64 / seconds,
        "refused_requests": refused.load(Ordering::Relaxed), "ack_ms": percentile::summary(&mut latencies),
    }))
}

async fn one(
    http: Client,
    client: usize,
    options: Options,
    started: Instant,
    refused: Arc<AtomicU64>,
) -> Result<Vec<Duration>, Failure> {
    let pause = options.rate.map(|rate| Duration::from_secs_f64((options.batch * options.clients) as f64 / rate));
    let mut latencies = Vec::new();
    let mut next = options.first;
    while started.elapsed().as_secs_f64() < options.seconds {
        let body = event::batch(client, next, options.batch, options.bytes);
        let sent = Instant::now();
        let appended = http.append(&body).await?;
        latencies.push(sent.elapsed());
        refused.fetch_add(appended.refused, Ordering::Relaxed);
        next += options.batch as u64;
        if let Some(pause) = pause {
            tokio::time::sleep(pause.saturating_sub(sent.elapsed())).await;
        }
    }
    Ok(latencies)
}

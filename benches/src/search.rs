//! Searches with the queries of a corpus: latencies one by one, throughput of several clients, recall.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::client::Client;
use crate::{Failure, percentile};

/// What to ask.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Folder of the corpus.
    #[arg(long)]
    pub corpus: PathBuf,
    /// Which legs answer.
    #[arg(long, value_enum, default_value = "hybrid")]
    pub mode: Mode,
    /// Ask for the texts of one agent in ten alone.
    #[arg(long)]
    pub filter: bool,
    /// Clients of the measurement of throughput; the latencies are one client's.
    #[arg(long, default_value_t = 4)]
    pub clients: usize,
    /// How long to measure throughput.
    #[arg(long, default_value_t = 8.0)]
    pub seconds: f64,
    /// Compare approximate with exact answers of this many queries.
    #[arg(long, default_value_t = 0)]
    pub recall: usize,
}

/// Which legs answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Hybrid,
    Text,
    Semantic,
}

impl Options {
    fn request(&self, query: &Value) -> Value {
        let mode = match self.mode {
            Mode::Hybrid => "hybrid",
            Mode::Text => "text",
            Mode::Semantic => "semantic",
        };
        let mut request = json!({"query": query["text"], "mode": mode, "limit": 10});
        if self.filter {
            request["filter"] = json!(format!("agent_id = '{}'", query["agent_id"].as_str().unwrap_or_default()));
        }
        request
    }
}

/// Asks, and returns what it took.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let queries: Vec<Value> = serde_json::from_slice(&std::fs::read(options.corpus.join("queries.json"))?)?;
    let requests: Arc<Vec<Value>> = Arc::new(queries.iter().map(|query| options.request(query)).collect());
    let http = Client::new(url)?;
    let (mut first, mut latencies) = (Vec::new(), Vec::new());
    // The first queries pay for caches, and a filter's first use for finding its rows: shown apart.
    for (n, request) in requests.iter().enumerate() {
        let took = ask(&http, request).await?;
        if n < 30 { first.push(took) } else { latencies.push(took) }
    }
    let per_second = throughput(url, &requests, &options).await?;
    let recall = if options.recall > 0 { Some(recall(&http, &requests, options.recall).await?) } else { None };
    Ok(json!({
        "load": "search", "filter": options.filter, "ms": percentile::summary(&mut latencies),
        "first_ms": percentile::summary(&mut first), "clients": options.clients, "per_second": per_second,
        "recall_at_10": recall,
    }))
}

async fn ask(http: &Client, request: &Value) -> Result<Duration, Failure> {
    let started = Instant::now();
    let reply: Value = http.post("/v1/search", request).await?.json().await?;
    let took = started.elapsed();
    match reply["hits"].as_array() {
        Some(hits) if hits.len() == 10 => Ok(took),
        _ => Err(format!("{request} does not find ten: {reply}").into()),
    }
}

async fn throughput(url: &str, requests: &Arc<Vec<Value>>, options: &Options) -> Result<f64, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let end = Duration::from_secs_f64(options.seconds);
    let one = |_| {
        let (url, requests, next) = (url.to_owned(), requests.clone(), next.clone());
        tokio::spawn(async move {
            let http = Client::new(&url)?;
            while started.elapsed() < end {
                ask(&http, &requests[next.fetch_add(1, Ordering::Relaxed) % requests.len()]).await?;
            }
            Ok::<_, Failure>(())
        })
    };
    let tasks: Vec<_> = (0..options.clients).map(one).collect();
    for task in tasks {
        task.await??;
    }
    Ok(next.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}

/// Returns which share of the ten best by meaning the ordinary search finds too.
async fn recall(http: &Client, requests: &[Value], count: usize) -> Result<f64, Failure> {
    let (mut found, mut wanted) = (0, 0);
    for request in requests.iter().take(count) {
        let mut request = request.clone();
        request["mode"] = json!("semantic");
        let near = ids(http, &request).await?;
        request["exact"] = json!(true);
        let truth = ids(http, &request).await?;
        wanted += truth.len();
        found += truth.intersection(&near).count();
    }
    Ok(found as f64 / wanted as f64)
}

async fn ids(http: &Client, request: &Value) -> Result<BTreeSet<String>, Failure> {
    let reply: Value = http.post("/v1/search", request).await?.json().await?;
    let hits = reply["hits"].as_array().cloned().unwrap_or_default();
    Ok(hits.iter().filter_map(|hit| hit["id"].as_str().map(str::to_owned)).collect())
}

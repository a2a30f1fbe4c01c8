//! Lag: from the acknowledge of an event to the first answer that contains it, while others write.
//!
//! The server's own `min_position` does the waiting: a read that carries the position of the write returns as soon as
//! it can, and must then contain what was written. The time of the same read without waiting is shown beside it.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::{Failure, append, percentile};

/// How to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Probes of each kind.
    #[arg(long, default_value_t = 200)]
    pub probes: u64,
    /// Events per second that others write meanwhile.
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// Makes the ids of this run its own.
    #[arg(long, default_value_t = 0)]
    pub run: u64,
}

/// A read that must contain the probe.
struct Read {
    path: &'static str,
    body: fn(&str) -> Value,
}

const SQL: Read = Read {
    path: "/v1/sql",
    body: |id| json!({"sql": "SELECT interaction_id FROM interactions WHERE interaction_id = $id", "params": {"id": id}}),
};
const SEARCH: Read = Read { path: "/v1/search", body: |id| json!({"query": id, "mode": "text", "limit": 1}) };

/// Probes SQL, then text search, under the load of the writers.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let load = append::Options {
        clients: 4,
        batch: 10,
        bytes: 512,
        seconds: 3600.0,
        rate: Some(options.rate),
        first: (1 << 40) * (options.run + 1),
    };
    let address = url.to_owned();
    let background = tokio::spawn(async move { append::run(&address, load).await.map(|_| ()) });
    let in_sql = probe(url, &SQL, &options).await;
    let in_search = probe(url, &SEARCH, &options).await;
    background.abort();
    Ok(
        json!({"load": "lag", "rate": options.rate, "probes": options.probes, "sql_ms": in_sql?, "search_ms": in_search?}),
    )
}

async fn probe(url: &str, read: &Read, options: &Options) -> Result<Value, Failure> {
    let http = Client::new(url)?;
    let (mut lagged, mut plain) = (Vec::new(), Vec::new());
    for n in 0..options.probes {
        let id = format!("probe{}x{}x{n}", options.run, if read.path == SQL.path { "sql" } else { "search" });
        let data =
            json!({"interaction_id": id, "kind": "llm", "agent_id": "prober", "output": format!("the probe {id}")});
        let event = json!([{"type": "interaction.recorded", "source": "probe", "id": id, "data": data}]);
        let position = http.append(&event.to_string()).await?.reply()?["position"].clone();
        let acknowledged = Instant::now();
        let mut waiting = (read.body)(&id);
        waiting["min_position"] = position;
        waiting["wait_ms"] = json!(30_000);
        let answer = http.post(read.path, &waiting).await?.text().await?;
        lagged.push(acknowledged.elapsed());
        if !answer.contains(&id) {
            return Err(format!("{} at its position does not contain {id}: {answer}", read.path).into());
        }
        let again = Instant::now();
        http.post(read.path, &(read.body)(&id)).await?.bytes().await?;
        plain.push(again.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut summary = percentile::summary(&mut lagged);
    summary["same_read_without_waiting"] = percentile::summary(&mut plain);
    Ok(summary)
}

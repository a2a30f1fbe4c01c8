//! Appends the texts of a corpus as interactions, and writes down at which position each of them stands.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::{Failure, corpus};

/// What to append.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Folder of the corpus.
    #[arg(long)]
    pub corpus: PathBuf,
    /// Its first so many texts.
    #[arg(long)]
    pub documents: u64,
    /// File for the positions.
    #[arg(long)]
    pub positions: PathBuf,
}

/// Appends, and returns at which pace the texts were taken.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let started = Instant::now();
    let (sender, mut batches) = tokio::sync::mpsc::channel::<String>(4);
    let from = options.clone();
    let reading = tokio::task::spawn_blocking(move || {
        corpus::read(&from.corpus, from.documents, |texts| {
            for part in texts.chunks(2_048) {
                sender.blocking_send(body(part))?;
            }
            Ok(())
        })
    });
    let http = Client::new(url)?;
    let mut positions = Vec::with_capacity(options.documents as usize);
    while let Some(body) = batches.recv().await {
        let reply = http.append(&body).await?.reply()?;
        let results = reply["results"].as_array().ok_or("a reply without results")?;
        positions.extend(results.iter().filter_map(|result| result["position"].as_u64()));
    }
    reading.await??;
    if positions.len() as u64 != options.documents {
        return Err(format!("{} positions for {} texts", positions.len(), options.documents).into());
    }
    let bytes: Vec<u8> = positions.iter().flat_map(|position| position.to_le_bytes()).collect();
    std::fs::write(&options.positions, bytes)?;
    let seconds = started.elapsed().as_secs_f64();
    let pace = options.documents as f64 / seconds;
    Ok(json!({"load": "documents", "documents": options.documents, "seconds": seconds, "events_per_second": pace}))
}

fn body(texts: &[corpus::Text]) -> String {
    let event = |text: &corpus::Text| {
        let id = format!("text-{}", text.number);
        json!({"type": "interaction.recorded", "source": "corpus", "id": id, "time": "2026-03-01T10:00:00Z",
            "data": {"interaction_id": id, "kind": "llm", "agent_id": text.agent_id, "output": text.text}})
    };
    Value::Array(texts.iter().map(event).collect()).to_string()
}

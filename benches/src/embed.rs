//! Texts per second of the server's own embedder, and the texts in a file for others to embed.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use partitura_embed::{Embedder, FastEmbedder, ModelSettings, Purpose};
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::{Failure, words};

/// Words of a text, and how many such texts.
const LENGTHS: [(usize, u64); 3] = [(12, 2_000), (60, 800), (160, 300)];

/// What to embed.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Sessions of one thread each.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// File for the texts.
    #[arg(long)]
    pub texts: Option<PathBuf>,
    /// Share of the texts.
    #[arg(long, default_value_t = 1.0)]
    pub scale: f64,
}

/// Embeds, and returns texts per second by length.
pub fn run(options: &Options) -> Result<Value, Failure> {
    let settings = ModelSettings { sessions: Some(options.threads), ..ModelSettings::default() };
    let model = FastEmbedder::open(&settings.located(|name| std::env::var(name).ok()))?;
    let (mut paces, mut all) = (Map::new(), Map::new());
    for (length, count) in LENGTHS {
        let count = ((count as f64 * options.scale) as u64).max(8);
        let texts: Vec<String> = (0..count).map(|n| words::about(n % 64, &mut Dice::new(31, n), length)).collect();
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        model.embed(&borrowed[..borrowed.len().min(20)], Purpose::Passage)?;
        let started = Instant::now();
        let vectors = model.embed(&borrowed, Purpose::Passage)?;
        let pace = count as f64 / started.elapsed().as_secs_f64();
        paces.insert(length.to_string(), json!(pace));
        all.insert(length.to_string(), json!({"texts": texts, "first_vector": vectors[0]}));
    }
    if let Some(file) = &options.texts {
        std::fs::write(file, serde_json::to_vec(&all)?)?;
    }
    Ok(json!({"load": "embed", "threads": options.threads, "texts_per_second": paces}))
}

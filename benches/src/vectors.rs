//! Puts the vectors of a corpus into the store, as the server's own follower would have computed and written them.
//!
//! The only load that does not go through HTTP: it writes with [`VectorIndex`], the store's own door for vectors, into
//! the folder of a server that is stopped. When the server starts it finds that no vector is missing.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use partitura_embed::Embedder;
use partitura_table::vector::{ChunkVector, TextHash, VectorIndex, VectorSettings};
use serde_json::{Value, json};

use crate::{Failure, corpus};

/// What to write, and where.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Folder of the corpus.
    #[arg(long)]
    pub corpus: PathBuf,
    /// Its first so many texts.
    #[arg(long)]
    pub documents: u64,
    /// The positions that `documents` wrote down.
    #[arg(long)]
    pub positions: PathBuf,
    /// Data folder of the stopped server.
    #[arg(long)]
    pub data: PathBuf,
}

/// Writes vectors, builds the index where there are enough, and returns how long both took.
pub async fn run(options: &Options) -> Result<Value, Failure> {
    let model = corpus::model()?;
    let id = model.model();
    let folder = options.data.join("search/local/vectors").join(id.hash());
    let index = VectorIndex::open(&folder, &id.to_string(), model.dims(), VectorSettings::default()).await?;
    let bytes = std::fs::read(&options.positions)?;
    let (eights, _) = bytes.as_chunks::<8>();
    let mut positions = eights.iter().map(|eight| u64::from_le_bytes(*eight));
    let started = Instant::now();
    let mut pending = Vec::new();
    let mut batches = Vec::new();
    corpus::read(&options.corpus, options.documents, |texts| {
        for text in texts {
            let version = positions.next().ok_or("fewer positions than texts")?;
            let (hash, end) = (TextHash::of(&text.text), text.text.len() as u32);
            pending.push(ChunkVector { version, ordinal: 0, start: 0, end, hash, vector: text.vector });
        }
        if pending.len() >= 65_536 {
            batches.push(std::mem::take(&mut pending));
        }
        Ok(())
    })?;
    batches.push(pending);
    for batch in &batches {
        index.append(batch).await?;
    }
    let written = started.elapsed();
    index.maintain().await?;
    let status = index.status();
    Ok(json!({
        "load": "vectors", "chunks": status.rows, "fragments": status.fragments, "recall": status.recall,
        "write_seconds": written.as_secs_f64(), "index_seconds": (started.elapsed() - written).as_secs_f64(),
    }))
}

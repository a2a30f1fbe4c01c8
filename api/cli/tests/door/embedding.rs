//! Servers with the real model, and waiting until it has embedded what was written.

use std::time::{Duration, Instant};

use crate::server::Server;

/// Starts a server with the model that setup installed.
pub fn with_model(folder: Option<&std::path::Path>, more: &[&str]) -> Server {
    let dir = std::env::var("PARTITURA_MODEL_DIR").expect("tests run with the environment of scripts/env.sh");
    let arguments = [&["--model", "all-MiniLM-L6-v2", "--model-dir", &dir], more].concat();
    match folder {
        Some(folder) => Server::start_in(folder, &arguments),
        None => Server::start_with(&arguments),
    }
}

/// Waits until everything up to a position has its vectors.
pub async fn embedded(server: &Server, position: u64) {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let rows = server.rows("SELECT position, pending, embedded, model FROM system.search", position).await;
        let row = &rows[0];
        if row["position"].as_u64() >= Some(position) && row["pending"] == 0 && row["embedded"].as_u64() > Some(0) {
            return;
        }
        assert!(Instant::now() < until, "vectors do not come: {rows}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

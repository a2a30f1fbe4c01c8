//! `partitura serve`: runs until it is told to stop.

use std::io::Write;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Shared;
use crate::failure::Outcome;
use crate::server::Server;
use crate::settings_file::{self, Effective};
use crate::telemetry;

/// Runs the server.
#[derive(Args, Debug)]
pub struct Serve {}

impl Serve {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let Effective { settings, exports, .. } = settings_file::resolve(shared)?;
        telemetry::start(&settings);
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let server = tokio::select! {
            server = Server::start_with(settings, exports) => server?,
            _ = terminated.recv() => return Ok(()),
            _ = interrupted.recv() => return Ok(()),
        };
        ready(&server)?;
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        tracing::info!("stopping");
        server.stop().await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The one line on stdout: every listener.
fn ready(server: &Server) -> Outcome {
    let listeners: Vec<_> = server.listeners().iter().map(|(name, uri)| format!("{name}={uri}")).collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "partitura ready {}", listeners.join(" "))?;
    Ok(out.flush()?)
}

//! `partitura`: settings, wiring and the command line. Each command is one file of `command/`.

// The whole server can run inside a command, so its futures nest deeply.
#![recursion_limit = "256"]

mod args;
mod batches;
mod client;
mod command;
mod connection;
mod failure;
mod progress;
mod rejects;
mod remote;
mod rows;
mod server;
mod settings_args;
mod settings_file;
mod stdio;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

/// A fold makes and drops many small texts: with the allocator of the C library a fifth of its time went there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("partitura: the system gives no threads: {error}");
            return ExitCode::from(8);
        }
    };
    let outcome = runtime.block_on(command::run(cli));
    // A blocking read of standard input must not keep the process alive.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

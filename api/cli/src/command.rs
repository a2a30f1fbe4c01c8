//! The commands, one file each.

pub mod append;
pub mod backup;
pub mod completions;
pub mod config;
pub mod doctor;
pub mod export;
pub mod import;
pub mod keys;
pub mod mcp;
pub mod rebuild;
pub mod restore;
pub mod search;
pub mod serve;
pub mod simulate;
pub mod sql;
pub mod tail;
pub mod verify;

use crate::args::{Cli, Command};
use crate::failure::Outcome;

/// Runs the command that was asked for.
pub async fn run(cli: Cli) -> Outcome {
    let shared = &cli.shared;
    match cli.command {
        Command::Serve(serve) => serve.run(shared).await,
        Command::Append(append) => append.run(shared).await,
        Command::Import(import) => import.run(shared).await,
        Command::Sql(sql) => sql.run(shared).await,
        Command::Search(search) => search.run(shared).await,
        Command::Tail(tail) => tail.run(shared).await,
        Command::Simulate(simulate) => simulate.run(shared).await,
        Command::Rebuild(rebuild) => rebuild.run(shared).await,
        Command::Verify(verify) => verify.run(shared).await,
        Command::Export(export) => export.run(shared).await,
        Command::Doctor(doctor) => doctor.run(shared).await,
        Command::Keys(keys) => keys.run(shared).await,
        Command::Backup(backup) => backup.run(shared).await,
        Command::Restore(restore) => restore.run(shared).await,
        Command::Mcp(mcp) => mcp.run(shared).await,
        Command::Config(config) => config.run(shared),
        Command::Completions(completions) => completions.run(),
    }
}

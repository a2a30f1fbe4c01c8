//! The command line's grammar: what every command shares, and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command::{
    append, backup, completions, config, doctor, export, import, keys, mcp, rebuild, restore, search, serve, simulate,
    sql, tail, verify,
};
use crate::settings_args::SettingsArgs;

/// The event-sourced system of record, memory and analyst of a team of AI agents.
#[derive(Debug, Parser)]
#[command(name = "partitura", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub shared: Shared,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Where and how")]
pub struct Shared {
    /// Talk to this server instead of a data folder
    #[arg(long, global = true, env = "PARTITURA_URL", value_name = "URL")]
    pub url: Option<String>,
    /// Key for --url
    #[arg(long, global = true, env = "PARTITURA_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Workspace to work in; a key has its own
    #[arg(long, global = true, env = "PARTITURA_WORKSPACE", value_name = "NAME")]
    pub workspace: Option<String>,
    /// How results are printed; a table on a terminal, else ndjson
    #[arg(long, global = true, env = "PARTITURA_FORMAT", value_name = "FORMAT")]
    pub format: Option<OutputFormat>,
    /// Settings file [default: ./partitura.toml, if it is there]
    #[arg(long, global = true, env = "PARTITURA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Table,
    Json,
    Ndjson,
    Csv,
    Markdown,
}

/// One command each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Append events from files or standard input
    Append(append::Append),
    /// Turn files into events by a mapping and append them
    Import(import::Import),
    /// Ask in SQL
    Sql(sql::Sql),
    /// Ask in words
    Search(search::Search),
    /// Print events as they come
    Tail(tail::Tail),
    /// Write a believable history with a known truth
    Simulate(simulate::Simulate),
    /// Build tables anew from the log
    Rebuild(rebuild::Rebuild),
    /// Check every stored event against its checksums and hash chain
    Verify(verify::Verify),
    /// Write events or tables to files
    Export(export::Export),
    /// Look for what keeps a server from running well
    Doctor(doctor::Doctor),
    /// Make, list, rotate and revoke keys
    Keys(keys::Keys),
    /// Copy a running server's data
    Backup(backup::Backup),
    /// Make a data folder of a backup
    Restore(restore::Restore),
    /// Speak MCP on standard input and output, for agents
    Mcp(mcp::Mcp),
    /// Print every setting, its value and where it comes from
    Config(config::Config),
    /// Print the completions of a shell
    Completions(completions::Completions),
}

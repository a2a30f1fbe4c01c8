//! `cargo xtask`: what a machine checks or does for us, so that a reviewer need not.
//!
//! * `tidy`: the rules of the house: layers, file shape, forbidden calls, unused dependencies, lock file;
//! * `crash [SEEDS] [FIRST]`: simulated power cuts of the log, 100,000 seeds from 0 on unless told;
//! * `kill [CYCLES]`: kill -9 of the real server under retrying writers, 500 cycles unless told;
//! * `docs`: writes the generated pages of `docs/reference/` anew.

mod deny;
mod layers;
mod manifest;
mod sources;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask tidy | crash [SEEDS] [FIRST] | kill [CYCLES] | docs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise| arguments.get(at).map_or(otherwise, String::as_str);
    match arguments.first().map(String::as_str) {
        Some("tidy") => tidy::run(&root()),
        // Of the crate alone, so that neither the tables nor the models have to be built optimised.
        Some("crash") => cargo(
            "test --release --package partitura-log --features test-util --test crash -- --nocapture",
            &[("PARTITURA_CRASH_SEEDS", number(1, "100000")), ("PARTITURA_CRASH_FIRST", number(2, "0"))],
        ),
        Some("kill") => {
            cargo("test --workspace --test kill -- --nocapture", &[("PARTITURA_KILL_CYCLES", number(1, "500"))])
        }
        Some("docs") => cargo("test --workspace --test reference", &[("PARTITURA_BLESS", "1")]),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Returns the folder of the workspace. Read when it runs: clones that share a target folder share this program.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Runs cargo with `arguments`, which hold no spaces of their own.
fn cargo(arguments: &str, environment: &[(&str, &str)]) -> ExitCode {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(arguments.split(' ')).envs(tools()).envs(environment.iter().copied());
    // What cargo told this program of itself would look like a change to build scripts that ask for it, and half the
    // dependencies would be built again.
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| {
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        })
        .for_each(|name| {
            command.env_remove(name);
        });
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns where `make setup` put what the build and the models need, as `scripts/env.sh` prints it.
fn tools() -> Vec<(String, String)> {
    let printed = Command::new(root().join("scripts/env.sh")).output().map(|output| output.stdout).unwrap_or_default();
    let lines = String::from_utf8_lossy(&printed);
    let settings = lines.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    settings.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}

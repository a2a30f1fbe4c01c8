//! What may stand in `Cargo.lock`: one Arrow and one DataFusion, known licences, known sources (`deny.toml`).

use std::path::Path;
use std::process::Command;

/// Runs `cargo deny`; what it finds it prints itself. Returns a sentence when it fails or is missing.
pub fn check(root: &Path) -> Vec<String> {
    let program = std::env::var("CARGO_DENY").unwrap_or_else(|_| "cargo-deny".to_owned());
    let arguments =
        ["--log-level", "warn", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    match Command::new(&program).current_dir(root).args(arguments).status() {
        Ok(status) if status.success() => Vec::new(),
        Ok(_) => vec!["deny.toml: Cargo.lock breaks its rules (see above)".to_owned()],
        Err(error) => vec![format!(
            "{program} could not be started ({error}); install it with `scripts/setup.sh cargo-deny`, then `eval \"$(scripts/env.sh)\"`"
        )],
    }
}

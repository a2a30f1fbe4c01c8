//! Progress on stderr, when a person watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Makes a bar over `total` bytes, hidden when stderr is not a terminal.
pub fn bytes(total: u64, what: &str) -> ProgressBar {
    let bar = visible(|| ProgressBar::new(total));
    let template = "{prefix} {bar:32} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}";
    styled(bar, template, what)
}

/// Makes a bar over `total` things, hidden when stderr is not a terminal.
pub fn count(total: u64, what: &str) -> ProgressBar {
    let bar = visible(|| ProgressBar::new(total));
    styled(bar, "{prefix} {bar:32} {human_pos}/{human_len} {per_sec} {eta} {msg}", what)
}

/// Makes a spinner for a step of unknown length, hidden when stderr is not a terminal.
pub fn step(what: &str) -> ProgressBar {
    let bar = visible(ProgressBar::new_spinner);
    bar.enable_steady_tick(Duration::from_millis(120));
    styled(bar, "{spinner} {prefix} {elapsed} {msg}", what)
}

fn visible(make: impl FnOnce() -> ProgressBar) -> ProgressBar {
    if std::io::stderr().is_terminal() { make() } else { ProgressBar::hidden() }
}

fn styled(bar: ProgressBar, template: &str, what: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_prefix(what.to_owned())
}

//! The program's own log: lines on stderr, as text or JSON.

use std::io::IsTerminal;

use partitura_service::{LogFormat, Settings};
use tracing_subscriber::EnvFilter;

/// Starts the log of a server.
pub fn start(settings: &Settings) {
    init(&settings.log, settings.log_format);
}

/// Starts the log of a command that runs the server inside: warnings only, unless another is asked for.
pub fn start_quiet(settings: &Settings) {
    let asked = settings.log != Settings::default().log;
    init(if asked { &settings.log } else { "error" }, settings.log_format);
}

fn init(directives: &str, format: LogFormat) {
    // A level alone is meant for us: libraries say too much, and some of them what they were given.
    let ours = !directives.contains(['=', ',']);
    let directives = if ours { format!("warn,partitura={directives}") } else { directives.to_owned() };
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("warn,partitura=info"));
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A second start in one process keeps the first log.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}

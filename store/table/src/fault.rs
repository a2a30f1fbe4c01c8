//! Errors of the libraries below, as problems.

use std::io::ErrorKind;
use std::path::Path;

use partitura_event::{ErrorClass, Problem};

/// Wraps an error of Lance; a full disk keeps its class.
pub(crate) fn lance(doing: &str, error: &lance::Error) -> Problem {
    let text = error.to_string();
    if text.contains("No space left on device") || text.contains("os error 28") {
        return full(doing);
    }
    // Lance's errors carry a source location after the sentence; users need the sentence.
    let text = text.split(", /").next().unwrap_or_default().to_owned();
    Problem::new(ErrorClass::Internal, format!("{doing}: {text}"))
}

/// Wraps an error of a file; a full disk keeps its class.
pub(crate) fn file(doing: &str, path: &Path, error: &std::io::Error) -> Problem {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => full(doing),
        _ => Problem::new(ErrorClass::Internal, format!("{doing} {}: {error}", path.display())),
    }
}

fn full(doing: &str) -> Problem {
    Problem::new(ErrorClass::StorageFull, format!("{doing}: no space is left on the disk"))
        .hint("free space; the rows are safe in the log and are written again by themselves")
}

/// Wraps an error of DataFusion or Arrow that no user input can cause.
pub(crate) fn internal(doing: &str, error: impl std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Internal, format!("{doing}: {error}"))
}

//! Whether the server can work, part by part.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use partitura_event::Position;
use serde::Serialize;

use crate::service::Service;

/// What `/readyz` says.
#[derive(Clone, Debug, Serialize)]
pub struct Readiness {
    /// Requests will be served.
    pub ready: bool,
    /// Position that tables show.
    pub position: u64,
    /// Last position of the log.
    pub head: u64,
    /// Parts that are there or missing, and why.
    pub parts: Vec<Part>,
}

/// One part of the server.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// `ok`, `missing`, `behind`, `retrying`, `low`, `stopping` or `failed`.
    pub state: &'static str,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Tables that are further behind than this are named.
const LAG_NOTED: u64 = 10_000;
/// Less free space than this is named: two segments of the log.
const FREE_NOTED: u64 = 256 << 20;

impl Service {
    /// Returns whether the server can work. Ready means that writes are taken and tables can be read.
    pub fn readiness(&self) -> Readiness {
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let (position, head) = (number(self.published()), number(self.head()));
        let failure = self.engines().failure();
        let accepting = self.accepting().is_ok();
        let lag = head.saturating_sub(position);
        let unwritten = self.store().status().flush_error;
        let tables = match (&failure, unwritten) {
            (Some(problem), _) => Part { name: "tables", state: "failed", detail: Some(problem.to_string()) },
            (None, Some(error)) => {
                let detail = format!("rows wait in memory, as they cannot be written to files; trying again: {error}");
                Part { name: "tables", state: "retrying", detail: Some(detail) }
            }
            (None, None) if lag > LAG_NOTED => {
                Part { name: "tables", state: "behind", detail: Some(format!("{lag} events behind the log")) }
            }
            (None, None) => Part { name: "tables", state: "ok", detail: None },
        };
        let log = Part { name: "log", state: if accepting { "ok" } else { "stopping" }, detail: None };
        let parts = vec![log, tables, self.engines().semantic_part(), disk(self.folder().root())];
        Readiness { ready: accepting && failure.is_none(), position, head, parts }
    }
}

fn disk(root: &Path) -> Part {
    match free_space(root) {
        Some(free) if free < FREE_NOTED => {
            let detail = format!("{} MiB are free; writes are refused when none is left", free >> 20);
            Part { name: "disk", state: "low", detail: Some(detail) }
        }
        _ => Part { name: "disk", state: "ok", detail: None },
    }
}

/// Returns the bytes that we may still write on the disk of `path`.
pub fn free_space(path: &Path) -> Option<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: all-zero bytes are a valid `statvfs`, which holds plain numbers only.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is a C string and `found` a place for the answer; both outlive the call.
    let answer = unsafe { libc::statvfs(path.as_ptr(), &raw mut found) };
    (answer == 0).then(|| found.f_bavail as u64 * found.f_frsize as u64)
}

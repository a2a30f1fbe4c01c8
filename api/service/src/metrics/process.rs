//! What the system says of this process, under the names that Prometheus clients use, and its limit of open files.

use std::fs;

use super::exposition::Exposition;

/// Writes memory, time, files and threads of the process; what `/proc` does not tell is left out.
pub(super) fn write(out: &mut Exposition) {
    let page = page_size();
    if let Some(pages) = fs::read_to_string("/proc/self/statm").ok().and_then(|text| number(&text, 1)) {
        out.single("process_resident_memory_bytes", "gauge", "Memory in RAM.", pages * page);
    }
    // The name in brackets may hold spaces, so fields are counted behind it: 11 and 12 are user and system time.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let stat = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    if let (Some(user), Some(system)) = (number(stat, 11), number(stat, 12)) {
        let seconds = (user + system) / ticks();
        out.single("process_cpu_seconds_total", "counter", "Time of all threads on the processor.", seconds);
    }
    if let Some(threads) = number(stat, 17) {
        out.single("process_threads", "gauge", "Threads.", threads);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        out.single("process_open_fds", "gauge", "Open files and sockets.", files.count() as f64);
    }
    if let Some((soft, _)) = file_limits() {
        out.single("process_max_fds", "gauge", "Most files and sockets that may be open.", soft as f64);
    }
}

/// Lets the process open as many files as it may: each connection is one, and so is each file of the tables.
pub fn raise_file_limit() {
    let Some((soft, hard)) = file_limits() else { return };
    let wanted = libc::rlimit { rlim_cur: hard, rlim_max: hard };
    // SAFETY: `wanted` is a whole `rlimit` that outlives the call.
    if soft < hard && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) } != 0 {
        tracing::warn!(soft, hard, "the limit of open files cannot be raised");
    }
}

fn file_limits() -> Option<(u64, u64)> {
    let mut found = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `found` is a place for the answer and outlives the call.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut found) };
    (answer == 0).then_some((found.rlim_cur, found.rlim_max))
}

fn number(text: &str, field: usize) -> Option<f64> {
    text.split_whitespace().nth(field)?.parse().ok()
}

fn page_size() -> f64 {
    // SAFETY: asks for a number, touches no memory.
    (unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) as f64
}

fn ticks() -> f64 {
    // SAFETY: asks for a number, touches no memory.
    (unsafe { libc::sysconf(libc::_SC_CLK_TCK) }) as f64
}

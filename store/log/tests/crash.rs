//! Simulated power cuts, the quick part; `cargo xtask crash` asks for a hundred thousand seeds and shows how far it is.
//!
//! `PARTITURA_CRASH_SEEDS` sets how many seeds run, `PARTITURA_CRASH_FIRST` the first of them.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use partitura_log::crash::{Report, run};

/// Seeds that one thread runs before it reports.
const CHUNK: u64 = 250;

fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => otherwise,
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_power_cuts() {
    let (first, seeds) = (setting("PARTITURA_CRASH_FIRST", 0), setting("PARTITURA_CRASH_SEEDS", 2_500));
    let started = Instant::now();
    let (chunks_in, reports) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    for thread in 0..threads {
        let chunks_in = chunks_in.clone();
        thread::spawn(move || {
            for from in (first..first + seeds).step_by(CHUNK as usize).skip(thread as usize).step_by(threads as usize) {
                let report = run(from..(from + CHUNK).min(first + seeds));
                if chunks_in.send(report).is_err() {
                    return;
                }
            }
        });
    }
    drop(chunks_in);
    let mut total = Report::default();
    for report in reports {
        let before = total.seeds * 20 / seeds;
        total += report.unwrap_or_else(|failure| panic!("{failure}"));
        if total.seeds * 20 / seeds > before {
            println!("{} of {seeds} seeds after {} s: {total}", total.seeds, started.elapsed().as_secs());
        }
    }
    assert_eq!(total.seeds, seeds, "a thread ended early");
    assert!(total.cuts >= 2 * seeds);
    assert!(seeds < 500 || total.recovery_cuts > 0 && total.unacknowledged > 0, "{total}");
    println!("{seeds} seeds from {first} on, {total}: nothing lost, doubled, moved or altered");
}

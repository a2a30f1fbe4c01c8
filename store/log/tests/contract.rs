//! Runs the contract suite on every log.

use std::sync::Arc;

use partitura_event::{ManualClock, Timestamp};
use partitura_log::contract::{CHECKS, Subject};
use partitura_log::{EventLog, LogSettings, MemoryIndex, MemoryLog, SegmentLog, SimDisk};

fn run(make: impl Fn(Arc<ManualClock>) -> Arc<dyn EventLog>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, check) in CHECKS {
        println!("{name}");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000).expect("in range")));
        if name.contains("time") {
            clock.set(Timestamp::MIN);
        }
        let log = make(Arc::clone(&clock));
        runtime.block_on(check(Subject { log, clock }));
    }
}

#[test]
fn memory_log() {
    run(|clock| Arc::new(MemoryLog::new(clock)));
}

#[test]
fn segment_log_on_a_simulated_disk() {
    let settings = LogSettings { segment_bytes: 8 << 10, frame_bytes: 512, index_events: 16, ..LogSettings::default() };
    run(|clock| {
        let disk = Arc::new(SimDisk::new(1));
        Arc::new(SegmentLog::open_on(disk, Arc::<MemoryIndex>::default(), settings.clone(), clock).expect("a log"))
    });
}

#[test]
fn segment_log_on_a_real_disk() {
    // In memory where that is offered: this is about the calls, not about the speed of the disk's sync.
    let shm = std::path::Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a folder");
    let made = std::sync::atomic::AtomicUsize::new(0);
    run(|clock| {
        let n = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let settings = LogSettings { segment_bytes: 1 << 20, index_events: 64, ..LogSettings::default() };
        Arc::new(SegmentLog::open(&folder.path().join(n.to_string()), settings, clock).expect("a log"))
    });
}

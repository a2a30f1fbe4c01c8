//! A full disk and a failing disk, at every operation one after the other.

use std::sync::Arc;

use partitura_event::{Draft, ManualClock, Timestamp};
use partitura_log::sample::{event_with, is_record_of, keyed, many};
use partitura_log::{
    AppendRequest, EventLog, Fault, ItemResult, LogError, LogSettings, MemoryIndex, ReadLimit, SegmentLog, SimDisk,
};
use tokio::runtime::Runtime;

const REQUESTS: u64 = 24;

fn settings() -> LogSettings {
    LogSettings { segment_bytes: 9_000, frame_bytes: 300, head_commits: 3, index_events: 8, ..LogSettings::default() }
}

fn open(disk: &SimDisk) -> Result<SegmentLog, LogError> {
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    SegmentLog::open_on(Arc::new(disk.clone()), Arc::<MemoryIndex>::default(), settings(), clock)
}

fn request(n: u64) -> AppendRequest {
    let filler = "f".repeat(100 + n as usize * 37 % 500);
    let event =
        |part: &str| event_with(&format!("s{}", n % 3), &format!("{n}{part}"), &format!(r#"{{"f":"{filler}"}}"#));
    keyed(many(vec![event("a"), event("b")]), &format!("k{n}"), "body")
}

fn read(log: &SegmentLog) -> Vec<partitura_event::Recorded> {
    log.read(None, ReadLimit { events: usize::MAX, bytes: usize::MAX }).expect("durable events are read")
}

fn check(log: &SegmentLog, expected: &[Draft]) {
    let read = read(log);
    let same = read.len() == expected.len() && read.iter().zip(expected).all(|(a, b)| is_record_of(a, b));
    let ids: Vec<_> = read.iter().map(|event| event.id.as_str()).collect();
    assert!(same, "the log has {ids:?}");
}

/// Appends a request and notes its events if it was acknowledged.
fn append(runtime: &Runtime, log: &SegmentLog, n: u64, acknowledged: &mut Vec<Draft>) -> Result<(), LogError> {
    let reply = runtime.block_on(log.append(request(n)))?;
    assert!(reply.results.iter().all(|result| !matches!(result, ItemResult::Refused(_))), "{reply:?}");
    if reply.replayed.is_none() {
        acknowledged.extend(request(n).events);
    }
    Ok(())
}

#[test]
fn a_full_disk_refuses_and_the_log_goes_on_when_there_is_space() {
    let runtime = Runtime::new().expect("a runtime");
    for site in 0.. {
        let disk = SimDisk::new(site);
        disk.inject(site, Fault::Full);
        let log = match open(&disk) {
            Ok(log) => log,
            Err(LogError::StorageFull { .. } | LogError::Io { .. }) => {
                disk.heal();
                open(&disk).expect("it opens when there is space")
            }
            Err(error) => panic!("site {site}: {error}"),
        };
        let mut acknowledged = Vec::new();
        for n in 0..REQUESTS {
            if let Err(error) = append(&runtime, &log, n, &mut acknowledged) {
                assert!(matches!(error, LogError::StorageFull { .. }), "site {site}: {error}");
                check(&log, &acknowledged);
                disk.heal();
                append(&runtime, &log, n, &mut acknowledged).expect("there is space again");
            }
        }
        check(&log, &acknowledged);
        assert_eq!(acknowledged.len() as u64, REQUESTS * 2, "site {site}");
        log.verify().expect("sound");
        let done = disk.is_armed();
        drop(log);
        disk.power_cycle();
        check(&open(&disk).expect("it opens again"), &acknowledged);
        if done {
            assert!(site > 100, "only {site} sites");
            return;
        }
    }
}

#[test]
fn a_full_disk_that_stays_full_leaves_reads_alone() {
    let runtime = Runtime::new().expect("a runtime");
    let disk = SimDisk::new(1);
    let log = open(&disk).expect("a log");
    let mut acknowledged = Vec::new();
    append(&runtime, &log, 0, &mut acknowledged).expect("taken");
    disk.inject(0, Fault::Full);
    let mut refused = 0;
    for n in 1..40 {
        refused += u32::from(append(&runtime, &log, n, &mut acknowledged).is_err());
        check(&log, &acknowledged);
    }
    assert!(refused > 10);
}

#[test]
fn a_failed_write_or_sync_stops_the_log_until_it_is_opened_again() {
    let runtime = Runtime::new().expect("a runtime");
    for site in 0.. {
        let disk = SimDisk::new(site);
        disk.inject(site, Fault::Io);
        let log = match open(&disk) {
            Ok(log) => log,
            Err(LogError::Io { .. }) => {
                disk.power_cycle();
                check(&open(&disk).expect("it opens again"), &[]);
                continue;
            }
            Err(LogError::Poisoned { .. }) => continue,
            Err(error) => panic!("site {site}: {error}"),
        };
        let mut acknowledged = Vec::new();
        let failed = (0..REQUESTS).find(|n| match append(&runtime, &log, *n, &mut acknowledged) {
            Ok(()) => false,
            Err(LogError::Poisoned { .. }) => true,
            Err(error) => panic!("site {site}: {error}"),
        });
        check(&log, &acknowledged);
        let operations = disk.operations();
        if let Some(failed) = failed {
            for n in [failed, failed + 1] {
                let again = append(&runtime, &log, n, &mut acknowledged);
                assert!(matches!(again, Err(LogError::Poisoned { .. })), "site {site}: {again:?}");
            }
            assert_eq!(disk.operations(), operations, "site {site}: nothing is tried again");
        }
        let done = disk.is_armed();
        drop(log);
        disk.power_cycle();
        let log = open(&disk).expect("it opens again");
        let found = read(&log).len();
        assert!(found == acknowledged.len() || found == acknowledged.len() + 2, "site {site}: {found} events");
        for n in 0..REQUESTS {
            append(&runtime, &log, n, &mut Vec::new()).expect("it writes again");
        }
        let all: Vec<Draft> = (0..REQUESTS).flat_map(|n| request(n).events).collect();
        check(&log, &all);
        if done {
            assert!(site > 100, "only {site} sites");
            return;
        }
    }
}

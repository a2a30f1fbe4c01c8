//! Damaged files: torn tails are cut, everything else is refused with segment and offset.

use std::sync::Arc;

use partitura_event::{Draft, ManualClock, Timestamp};
use partitura_log::sample::{event_with, is_record_of, many};
use partitura_log::{EventLog, LogError, LogSettings, MemoryIndex, ReadLimit, SegmentLog, SimDisk};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

/// A log's files.
type Files = Vec<(String, Vec<u8>)>;

fn settings() -> LogSettings {
    LogSettings { segment_bytes: 20_000, frame_bytes: 200, head_commits: 1_000, ..LogSettings::default() }
}

fn open(disk: &SimDisk) -> Result<SegmentLog, LogError> {
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    SegmentLog::open_on(Arc::new(disk.clone()), Arc::<MemoryIndex>::default(), settings(), clock)
}

/// Opens the files and reads everything.
fn check(files: &Files) -> Result<u64, LogError> {
    let disk = disk_of(files);
    let log = open(&disk)?;
    let read = log.read(None, ReadLimit { events: usize::MAX, bytes: usize::MAX })?;
    log.verify()?;
    Ok(read.len() as u64)
}

fn disk_of(files: &Files) -> SimDisk {
    let disk = SimDisk::new(0);
    files.iter().for_each(|(name, bytes)| disk.set_bytes(name, bytes.clone()));
    disk
}

fn files_of(disk: &SimDisk) -> Files {
    use partitura_log::Disk;
    let names = disk.list().expect("listed");
    names.into_iter().map(|name| (name.clone(), disk.bytes(&name).expect("there"))).collect()
}

fn event(n: u64) -> Draft {
    event_with(&format!("s{}", n % 5), &format!("e{n}"), &format!(r#"{{"n":{n},"text":"{}"}}"#, "t".repeat(150)))
}

fn append(runtime: &Runtime, log: &SegmentLog, numbers: std::ops::Range<u64>) {
    for n in numbers {
        runtime.block_on(log.append(many(vec![event(n)]))).expect("taken");
    }
}

/// A log of three sealed segments and an active one, and where its events end in that.
fn sample() -> (Files, usize) {
    let runtime = Runtime::new().expect("a runtime");
    let disk = SimDisk::new(0);
    let log = open(&disk).expect("a log");
    append(&runtime, &log, 0..140);
    drop(log);
    let files = files_of(&disk);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["0000000001.seg", "0000000002.seg", "0000000003.seg", "0000000004.seg", "head"]);
    let end = files[3].1.iter().rposition(|byte| *byte != 0).expect("written") + 1;
    assert!(end > 4_096 + 1_000);
    (files, end)
}

/// Checks that damage to file `index` at `range` is refused, naming the file and a place at or before it.
fn refused(files: &Files, index: usize, range: std::ops::Range<usize>) {
    let name = &files[index].0;
    match check(files) {
        Err(LogError::Corrupt { segment, offset, .. }) => {
            assert_eq!(segment, *name, "damage at {range:?}");
            assert!(offset < range.end as u64, "damage at {range:?} of {name}, reported at {offset}");
        }
        other => panic!("damage at {range:?} of {name}: {other:?}"),
    }
}

/// Damage that follows the last event of the active segment is in no data.
fn holds_data(index: usize, at: usize, end: usize) -> bool {
    index < 3 || at < end
}

#[test]
fn bit_flips_are_refused() {
    let (files, end) = sample();
    assert_eq!(check(&files), Ok(140));
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..3_000 {
        let index = rng.random_range(0..4);
        let at = rng.random_range(0..files[index].1.len());
        let mut damaged = files.clone();
        damaged[index].1[at] ^= 1 << rng.random_range(0..8);
        if holds_data(index, at, end) {
            refused(&damaged, index, at..at + 1);
        } else {
            assert_eq!(check(&damaged), Ok(140), "flip at {at} behind the end {end}");
        }
    }
}

#[test]
fn every_zeroed_page_is_refused() {
    let (files, end) = sample();
    for index in 0..4 {
        for at in (0..files[index].1.len()).step_by(512) {
            let mut damaged = files.clone();
            let stop = (at + 4_096).min(damaged[index].1.len());
            damaged[index].1[at..stop].fill(0);
            if holds_data(index, at, end) {
                refused(&damaged, index, at..stop);
            } else {
                assert_eq!(check(&damaged), Ok(140));
            }
        }
    }
}

#[test]
fn every_truncated_file_is_refused() {
    let (files, end) = sample();
    for index in 0..4 {
        for length in (0..files[index].1.len()).step_by(97) {
            let mut damaged = files.clone();
            damaged[index].1.truncate(length);
            if holds_data(index, length, end) {
                refused(&damaged, index, length..length + 1);
            } else {
                assert_eq!(check(&damaged), Ok(140));
            }
        }
    }
}

#[test]
fn misplaced_segments_are_refused() {
    let (files, _) = sample();
    for a in 0..4 {
        for b in (0..4).filter(|b| *b != a) {
            let mut swapped = files.clone();
            (swapped[a].1, swapped[b].1) = (files[b].1.clone(), files[a].1.clone());
            refused(&swapped, a.min(b), 0..1);
            let mut replaced = files.clone();
            replaced[a].1 = files[b].1.clone();
            refused(&replaced, a, 0..1);
        }
        let mut doubled = files.clone();
        doubled.insert(4, ("0000000005.seg".to_owned(), files[a].1.clone()));
        assert!(matches!(check(&doubled), Err(LogError::Corrupt { .. })), "{a} doubled at the end");
        let mut missing = files.clone();
        let (name, _) = missing.remove(a);
        match check(&missing) {
            Err(LogError::Corrupt { segment, offset: 0, .. }) => assert_eq!(segment, name),
            other => panic!("{name} missing: {other:?}"),
        }
    }
}

#[test]
fn a_lost_suffix_is_refused() {
    let runtime = Runtime::new().expect("a runtime");
    let disk = SimDisk::new(0);
    let log = open(&disk).expect("a log");
    append(&runtime, &log, 0..10);
    drop(log);
    let old = files_of(&disk);
    let log = open(&disk).expect("a log");
    append(&runtime, &log, 10..12);
    drop(log);
    let mut rolled_back = files_of(&disk);
    rolled_back[0] = old[0].clone();
    refused(&rolled_back, 0, usize::MAX - 1..usize::MAX);
}

#[test]
fn the_head_file_survives_one_damaged_slot_but_not_two() {
    let (files, _) = sample();
    for (slots, intact) in [(0..1, true), (1..2, true), (0..2, false)] {
        let mut damaged = files.clone();
        slots.for_each(|slot| damaged[4].1[slot * 4_096 + 40] ^= 1);
        assert_eq!(check(&damaged).is_ok(), intact);
    }
    let mut missing = files;
    missing.remove(4);
    assert!(matches!(check(&missing), Err(LogError::Corrupt { .. })));
}

/// Files whose head file is older than their last three frames, and the offsets of these.
fn tail_of_three() -> (Files, [usize; 4]) {
    let runtime = Runtime::new().expect("a runtime");
    let disk = SimDisk::new(0);
    let log = open(&disk).expect("a log");
    append(&runtime, &log, 0..5);
    drop(log);
    let log = open(&disk).expect("a log");
    let end = |disk: &SimDisk| {
        let bytes = disk.bytes("0000000001.seg").expect("there");
        (bytes.iter().rposition(|byte| *byte != 0).expect("written") + 1).next_multiple_of(8)
    };
    let mut ends = [end(&disk); 4];
    for n in 0..3 {
        append(&runtime, &log, 5 + n..6 + n);
        ends[n as usize + 1] = end(&disk);
    }
    (files_of(&disk), ends)
}

#[test]
fn a_torn_tail_is_cut_at_every_byte() {
    let runtime = Runtime::new().expect("a runtime");
    let (files, ends) = tail_of_three();
    for cut in ends[0]..=ends[3] {
        for shortened in [false, true] {
            let mut torn = files.clone();
            match shortened {
                true => torn[0].1.truncate(cut),
                false => torn[0].1[cut..].fill(0),
            }
            let whole = ends.iter().rposition(|end| *end <= cut).expect("the first is") as u64;
            let disk = disk_of(&torn);
            let log = open(&disk).expect("a torn tail is no damage");
            let kept = log.head().expect("events").get();
            // Zeros that were cut off read as the zeros that were there.
            assert!(kept == 5 + whole || !shortened && kept == 6 + whole, "cut at {cut}: {kept} events");
            append(&runtime, &log, 20..22);
            drop(log);
            disk.power_cycle();
            let log = open(&disk).expect("it opens again");
            let read = log.read(None, ReadLimit::default()).expect("read");
            let expected: Vec<u64> = (0..kept).chain(20..22).collect();
            assert_eq!(read.len(), expected.len(), "cut at {cut}");
            assert!(read.iter().zip(expected).all(|(recorded, n)| is_record_of(recorded, &event(n))));
        }
    }
}

#[test]
fn damage_before_a_frame_that_proves_it_durable_is_no_torn_tail() {
    let (files, ends) = tail_of_three();
    for at in ends[0]..ends[2] {
        let mut damaged = files.clone();
        damaged[0].1[at] ^= 0x10;
        refused(&damaged, 0, at..at + 1);
    }
}

#[test]
fn damage_under_an_open_log_is_refused_on_read() {
    let (files, _) = sample();
    let disk = disk_of(&files);
    let log = open(&disk).expect("a log");
    let mut damaged = files[1].1.clone();
    damaged[8_000] ^= 1;
    disk.set_bytes(&files[1].0, damaged);
    let read = log.read(None, ReadLimit { events: usize::MAX, bytes: usize::MAX });
    let is_refused = |error: &LogError| matches!(error, LogError::Corrupt { segment, .. } if *segment == files[1].0);
    assert!(read.as_ref().is_err_and(is_refused));
    assert!(log.verify().as_ref().is_err_and(is_refused));
}

//! The log's bytes, frozen: what one version wrote, every later one reads, and writes alike.
//!
//! `docs/format/log.md` says what they mean. `PARTITURA_BLESS=1` writes the golden file anew, for a new format version.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use partitura_event::{Draft, Expected, ManualClock, Position, Problem, Revision, Timestamp};
use partitura_log::sample::{checking, event, event_with, expecting, is_record_of, keyed, many};
use partitura_log::{
    AppendRequest, Disk, EventLog, LogError, LogSettings, MemoryIndex, ReadLimit, SegmentLog, SimDisk,
};
use tokio::runtime::Runtime;

/// Bytes in one line of the golden file.
const LINE: usize = 32;

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format-1.txt")
}

fn open(disk: &SimDisk) -> Result<SegmentLog, LogError> {
    let settings =
        LogSettings { segment_bytes: 5_000, head_every: Duration::from_secs(3_600), ..LogSettings::default() };
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_700_000_000_000_000).expect("in range")));
    SegmentLog::open_on(Arc::new(disk.clone()), Arc::<MemoryIndex>::default(), settings, clock)
}

/// Requests with every kind of record and result.
fn requests() -> Vec<AppendRequest> {
    let mut full = event_with("task/2", "full", r#"{"text":"🎼"}"#);
    full.actor = Some("agent".to_owned());
    full.causation = Some("1".to_owned());
    full.traceparent = Some("00-1-2-00".to_owned());
    let exactly = |n| Expected::Exactly(Revision::new(n).expect("not 0"));
    let refused = vec![
        event("task/1", "1"),
        event_with("task/1", "1", r#"{"other":true}"#),
        expecting(event("task/1", "2"), exactly(7)),
        expecting(event("task/9", "3"), Expected::Exists),
    ];
    let checked = checking(many(vec![event("task/3", "4")]), "task/1", Expected::None);
    vec![
        keyed(many(vec![event("task/1", "1"), full]), "first", "body"),
        keyed(many(refused), "refused", "body"),
        keyed(checked, "checked", "body"),
        many(vec![event_with("task/2", "last", &format!(r#"{{"text":"{}"}}"#, "t".repeat(500)))]),
    ]
}

/// The events of `requests` that were taken, in order.
fn taken() -> Vec<Draft> {
    let requests = requests();
    [&requests[0], &requests[3]].into_iter().flat_map(|request| request.events.clone()).collect()
}

fn written() -> SimDisk {
    let (disk, runtime) = (SimDisk::new(1), Runtime::new().expect("a runtime"));
    let log = open(&disk).expect("a log");
    for request in requests() {
        runtime.block_on(log.append(request)).expect("answered");
    }
    drop(log);
    disk
}

/// Shows a disk's files as text; lines of zeros are left out.
fn shown(disk: &SimDisk) -> String {
    let mut text = String::new();
    for name in disk.list().expect("listed") {
        let bytes = disk.bytes(&name).expect("there");
        let _ = writeln!(text, "{name} {}", bytes.len());
        for (n, line) in bytes.chunks(LINE).enumerate().filter(|(_, line)| line.iter().any(|byte| *byte != 0)) {
            let hex: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(text, "{:6} {hex}", n * LINE);
        }
    }
    text
}

/// Makes the disk that `shown` showed.
fn read_back(text: &str) -> SimDisk {
    let disk = SimDisk::new(2);
    let mut file: Option<(&str, Vec<u8>)> = None;
    for line in text.lines() {
        let (place, rest) = line.trim_start().split_once(' ').expect("two words");
        match place.parse::<usize>() {
            Ok(at) => {
                let (_, bytes) = file.as_mut().expect("a file comes first");
                for (n, pair) in rest.as_bytes().chunks(2).enumerate() {
                    let pair = std::str::from_utf8(pair).expect("hex");
                    bytes[at + n] = u8::from_str_radix(pair, 16).expect("hex");
                }
            }
            Err(_) => {
                file.take().into_iter().for_each(|(name, bytes)| disk.set_bytes(name, bytes));
                file = Some((place, vec![0; rest.parse().expect("a length")]));
            }
        }
    }
    file.into_iter().for_each(|(name, bytes)| disk.set_bytes(name, bytes));
    disk
}

#[test]
fn the_bytes_are_frozen() {
    let text = shown(&written());
    if std::env::var_os("PARTITURA_BLESS").is_some() {
        std::fs::write(golden(), &text).expect("written");
    }
    let frozen = std::fs::read_to_string(golden()).expect("the golden file");
    for (line, (now, then)) in text.lines().zip(frozen.lines()).enumerate() {
        assert_eq!(now, then, "line {}: the format changed, so it needs a new version", line + 1);
    }
    assert_eq!(text.lines().count(), frozen.lines().count());
}

#[test]
fn a_log_of_the_first_format_is_read_and_goes_on() {
    let disk = read_back(&std::fs::read_to_string(golden()).expect("the golden file"));
    let log = open(&disk).expect("a log");
    let read = log.read(None, ReadLimit::default()).expect("read");
    assert_eq!(read.len(), taken().len());
    assert!(read.iter().zip(taken()).all(|(recorded, draft)| is_record_of(recorded, &draft)));
    log.verify().expect("sound");
    let runtime = Runtime::new().expect("a runtime");
    for request in requests() {
        let keyed = request.request.is_some();
        let reply = runtime.block_on(log.append(request)).expect("answered");
        assert_eq!(reply.replayed.is_some(), keyed);
    }
    assert_eq!(log.head().map(|head| head.get()), Some(taken().len() as u64));
}

#[test]
fn a_newer_format_is_refused_in_every_file() {
    let disk = written();
    let files: Vec<(String, Vec<u8>)> = disk
        .list()
        .expect("listed")
        .into_iter()
        .map(|name| {
            let bytes = disk.bytes(&name).expect("there");
            (name, bytes)
        })
        .collect();
    let slot = 32 + 5 * 8 + 32;
    // File, where the part begins and how long it is.
    let first = files[0].1.len();
    let parts =
        [("0000000001.seg", 0, 4_096), ("0000000001.seg", first - 144, 144), ("head", 0, slot), ("head", 4_096, slot)];
    for (name, start, length) in parts {
        let newer = read_back(&shown(&disk));
        let mut bytes = newer.bytes(name).expect("there");
        let part = &mut bytes[start..start + length];
        part[12..16].copy_from_slice(&2_u32.to_le_bytes());
        let crc = crc32c::crc32c(&part[12..]);
        part[8..12].copy_from_slice(&crc.to_le_bytes());
        newer.set_bytes(name, bytes);
        let refused = open(&newer).err().unwrap_or_else(|| panic!("{name} at {start} was read"));
        assert_eq!(refused, LogError::Format { file: name.to_owned(), found: 2, supported: 1 });
        let problem = Problem::from(refused);
        assert!(problem.detail.contains("has log format 2; this version reads format 1"), "{}", problem.detail);
        assert!(problem.hint.is_some());
    }
}

/// The last frame of a segment as the log never writes it: its first record says that its data is sealed.
fn seal_last_frame(disk: &SimDisk, name: &str) {
    let mut bytes = disk.bytes(name).expect("there");
    let start = bytes.windows(4).rposition(|four| four == b"PFRM").expect("a frame");
    let payload = u32::from_le_bytes(bytes[start + 56..start + 60].try_into().expect("four bytes")) as usize;
    bytes[start + 96 + 4] = 2;
    let crc = crc32c::crc32c(&bytes[start + 96..start + 96 + payload]);
    bytes[start + 60..start + 64].copy_from_slice(&crc.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[start + 8..start + 96]);
    bytes[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    disk.set_bytes(name, bytes);
}

#[test]
fn a_sealed_record_is_kept_counted_and_told() {
    let (disk, runtime) = (SimDisk::new(3), Runtime::new().expect("a runtime"));
    let log = open(&disk).expect("a log");
    runtime.block_on(log.append(many(vec![event("task/1", "open")]))).expect("taken");
    drop(log);
    let log = open(&disk).expect("a log");
    // Not in the head file yet, which would vouch for other bytes.
    runtime.block_on(log.append(many(vec![event("task/1", "sealed")]))).expect("taken");
    let later = read_back(&shown(&disk));
    seal_last_frame(&later, "0000000001.seg");
    let log = open(&later).expect("it needs no key to be opened");
    assert_eq!(log.verify().expect("nor to be checked").events, 2);
    let position = Position::new(2).expect("not 0");
    let sealed = event("task/1", "sealed");
    assert_eq!(log.find(&sealed.workspace, &sealed.source, &sealed.id), Ok(Some(position)));
    assert_eq!(log.read(None, ReadLimit::events(1)).expect("read").len(), 1);
    let refused = log.read(None, ReadLimit::default()).expect_err("it cannot be opened");
    assert_eq!(refused, LogError::Sealed { position });
    let reply = runtime.block_on(log.append(many(vec![sealed, event("task/1", "next")]))).expect("taken");
    assert_eq!(reply.head, Position::new(3));
}

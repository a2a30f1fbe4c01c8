//! The index on disk: lost, damaged, stale or of another log, and yet every look-up is right.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use partitura_event::{Draft, Position, Revision, StreamName, SystemClock, Workspace};
use partitura_log::sample::{event, keyed, many};
use partitura_log::{
    Checkpoint, EventLog, Index, ItemResult, Key, Known, Layer, LogError, LogSettings, MemoryIndex, ReadLimit,
    SegmentLog, SimDisk,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a folder")
}

fn open(folder: &Path) -> Result<SegmentLog, LogError> {
    let settings = LogSettings { segment_bytes: 64 << 10, index_events: 100, ..LogSettings::default() };
    SegmentLog::open(folder, settings, Arc::new(SystemClock))
}

fn draft(n: u64) -> Draft {
    event(&format!("s{}", n % 7), &format!("e{n}"))
}

fn append(runtime: &Runtime, log: &SegmentLog, numbers: std::ops::Range<u64>) {
    for start in numbers.clone().step_by(10) {
        let request = many((start..numbers.end.min(start + 10)).map(draft).collect());
        runtime.block_on(log.append(keyed(request, &format!("k{start}"), "body"))).expect("taken");
    }
}

/// Checks that `events` events are found by their ids.
fn check_ids(log: &SegmentLog, events: u64) -> Result<(), LogError> {
    for n in 0..events {
        let draft = draft(n);
        let found = log.find(&draft.workspace, &draft.source, &draft.id)?;
        assert_eq!(found.map(Position::get), Some(n + 1));
    }
    Ok(())
}

/// Checks every kind of look-up for `events` events.
fn check(runtime: &Runtime, log: &SegmentLog, events: u64) -> Result<(), LogError> {
    check_ids(log, events)?;
    for stream in 0..7 {
        let name = StreamName::new(format!("s{stream}")).expect("a valid name");
        let of_stream: Vec<u64> = (0..events).filter(|n| n % 7 == stream).collect();
        let read = log.read_stream(&Workspace::local(), &name, None, ReadLimit::default())?;
        assert_eq!(read.iter().map(|event| event.position.get() - 1).collect::<Vec<_>>(), of_stream);
        assert_eq!(log.revision(&Workspace::local(), &name)?, Revision::new(of_stream.len() as u64));
    }
    let again = runtime.block_on(log.append(many((0..events).map(draft).collect())))?;
    assert!(again.results.iter().all(|result| matches!(result, ItemResult::Duplicate { .. })));
    let keyed_again = keyed(many((0..10).map(draft).collect()), "k0", "body");
    assert!(runtime.block_on(log.append(keyed_again))?.replayed.is_some());
    Ok(())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn a_lost_index_is_rebuilt() {
    let (folder, runtime) = (folder(), Runtime::new().expect("a runtime"));
    let log = open(folder.path()).expect("a log");
    append(&runtime, &log, 0..450);
    check(&runtime, &log, 450).expect("right");
    drop(log);
    fs::remove_dir_all(folder.path().join("index")).expect("removed");
    check(&runtime, &open(folder.path()).expect("a log"), 450).expect("right");
}

#[test]
fn a_stale_index_catches_up() {
    let (folder, runtime) = (folder(), Runtime::new().expect("a runtime"));
    let (index, saved) = (folder.path().join("index"), folder.path().join("saved"));
    for (start, end) in [(0, 30), (30, 250), (250, 500)] {
        let log = open(folder.path()).expect("a log");
        append(&runtime, &log, start..end);
        drop(log);
        if saved.exists() {
            fs::remove_dir_all(&index).expect("removed");
            copy(&saved, &index);
            fs::remove_dir_all(&saved).expect("removed");
        }
        let log = open(folder.path()).expect("a log");
        check(&runtime, &log, end).expect("right");
        drop(log);
        copy(&index, &saved);
    }
}

#[test]
fn an_index_of_another_log_is_rebuilt() {
    let (one, other, runtime) = (folder(), folder(), Runtime::new().expect("a runtime"));
    for (folder, events) in [(&one, 200), (&other, 300)] {
        append(&runtime, &open(folder.path()).expect("a log"), 0..events);
    }
    fs::remove_dir_all(one.path().join("index")).expect("removed");
    copy(&other.path().join("index"), &one.path().join("index"));
    check(&runtime, &open(one.path()).expect("a log"), 200).expect("right");
}

#[test]
fn a_damaged_index_is_rebuilt_at_the_latest_at_the_next_start() {
    let (folder, runtime) = (folder(), Runtime::new().expect("a runtime"));
    let index = folder.path().join("index");
    append(&runtime, &open(folder.path()).expect("a log"), 0..350);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for round in 0..40 {
        let files = files(&index);
        let path = &files[rng.random_range(0..files.len())];
        let mut bytes = fs::read(path).expect("read");
        match rng.random_range(0..4) {
            0 => fs::remove_file(path).expect("removed"),
            1 => fs::write(path, &bytes[..bytes.len() / 2]).expect("written"),
            _ => {
                for _ in 0..20 {
                    let at = rng.random_range(0..bytes.len().max(1));
                    bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 0x5a);
                }
                fs::write(path, bytes).expect("written");
            }
        }
        let first = open(folder.path()).and_then(|log| check(&runtime, &log, 350));
        if let Err(error) = first {
            assert!(matches!(error, LogError::Index { .. }), "round {round}, {}: {error}", path.display());
            check(&runtime, &open(folder.path()).expect("a log"), 350).expect("right after a restart");
        }
    }
}

/// An index that takes nothing as long as its disk is full.
#[derive(Default)]
struct Full {
    index: MemoryIndex,
    full: AtomicBool,
}

impl Index for Full {
    fn checkpoint(&self) -> Result<Option<Checkpoint>, LogError> {
        self.index.checkpoint()
    }
    fn event(&self, key: Key) -> Result<Option<Known>, LogError> {
        self.index.event(key)
    }
    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError> {
        self.index.revision(stream)
    }
    fn positions(&self, stream: Key, from: Revision, limit: usize) -> Result<Vec<Position>, LogError> {
        self.index.positions(stream, from, limit)
    }
    fn answer(&self, request: Key) -> Result<Option<Vec<u8>>, LogError> {
        self.index.answer(request)
    }
    fn store(&self, layer: &Layer, checkpoint: &Checkpoint) -> Result<(), LogError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(LogError::StorageFull { detail: "log index".to_owned() }),
            false => self.index.store(layer, checkpoint),
        }
    }
    fn clear(&self) -> Result<(), LogError> {
        self.index.clear()
    }
    fn distrust(&self) {}
}

#[test]
fn an_index_without_space_holds_the_log_up_and_lets_it_go_on() {
    let (disk, index) = (SimDisk::new(0), Arc::new(Full::default()));
    let settings = LogSettings { index_events: 20, ..LogSettings::default() };
    let open = || SegmentLog::open_on(Arc::new(disk.clone()), index.clone(), settings.clone(), Arc::new(SystemClock));
    let (log, runtime) = (open().expect("a log"), Runtime::new().expect("a runtime"));
    append(&runtime, &log, 0..50);
    index.full.store(true, Ordering::SeqCst);
    let batch = |start: u64| many((start..start + 10).map(draft).collect());
    let mut taken = 50;
    let refused = loop {
        match runtime.block_on(log.append(batch(taken))) {
            Ok(_) => taken += 10,
            Err(error) => break error,
        }
        assert!(taken < 1_000, "memory would grow without end");
    };
    assert!(matches!(refused, LogError::StorageFull { .. }), "{refused}");
    assert_eq!(log.head().map(Position::get), Some(taken));
    let of_stream =
        log.read_stream(&Workspace::local(), &StreamName::new("s0").expect("a name"), None, ReadLimit::default());
    assert_eq!(of_stream.expect("reads go on").len() as u64, taken.div_ceil(7));
    index.full.store(false, Ordering::SeqCst);
    let patient = Instant::now() + Duration::from_secs(60);
    while runtime.block_on(log.append(batch(taken))).is_err() {
        assert!(Instant::now() < patient, "the log goes on when there is space");
        std::thread::sleep(Duration::from_millis(20));
    }
    check_ids(&log, taken + 10).expect("right");
    drop(log);
    check_ids(&open().expect("a log"), taken + 10).expect("right");
}

#[test]
fn stored_answers_do_not_pile_up_in_memory() {
    let (disk, index) = (SimDisk::new(0), Arc::new(MemoryIndex::default()));
    let settings = LogSettings { index_events: 20_000, ..LogSettings::default() };
    let log = SegmentLog::open_on(Arc::new(disk), index.clone(), settings, Arc::new(SystemClock)).expect("a log");
    let runtime = Runtime::new().expect("a runtime");
    // Requests that add no event, but whose answers are large.
    for n in 0..20 {
        let mut request = keyed(many(vec![]), &format!("k{n}"), "body");
        request.request.as_mut().expect("a key").context = vec![0; 1 << 20];
        runtime.block_on(log.append(request)).expect("answered");
    }
    let patient = Instant::now() + Duration::from_secs(60);
    while index.checkpoint().expect("read").is_none() {
        assert!(Instant::now() < patient, "20 MiB of answers are still in memory only");
        std::thread::sleep(Duration::from_millis(10));
    }
}

//! The writer under a slow disk: the queue is bounded, and a failed commit takes those on top of it along.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use partitura_event::{ErrorClass, ManualClock, Position, Problem, Timestamp};
use partitura_log::sample::{event, many, one};
use partitura_log::{
    AppendRequest, Disk, EventLog, Fault, File, ItemResult, LogError, LogSettings, MemoryIndex, ReadLimit, SegmentLog,
    SimDisk,
};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// A disk whose syncs wait until they may go on.
#[derive(Clone)]
struct Gated {
    disk: SimDisk,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    waiting: bool,
}

impl Gated {
    fn new() -> Self {
        Self { disk: SimDisk::new(0), gate: Arc::default() }
    }

    fn close(&self) {
        self.gate.0.lock().closed = true;
    }

    fn open(&self) {
        self.gate.0.lock().closed = false;
        self.gate.1.notify_all();
    }

    /// Waits until a sync waits.
    fn wait_for_sync(&self) {
        let mut gate = self.gate.0.lock();
        while !gate.waiting {
            self.gate.1.wait(&mut gate);
        }
    }

    fn wrap(&self, file: io::Result<Arc<dyn File>>) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(GatedFile { file: file?, gate: Arc::clone(&self.gate) }))
    }
}

impl Disk for Gated {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.wrap(self.disk.open(name))
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.wrap(self.disk.create(name))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn sync_folder(&self) -> io::Result<()> {
        self.disk.sync_folder()
    }
    fn unique(&self) -> u128 {
        self.disk.unique()
    }
}

struct GatedFile {
    file: Arc<dyn File>,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

impl File for GatedFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }
    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.file.preallocate(length)
    }
    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }
    fn sync(&self) -> io::Result<()> {
        let mut gate = self.gate.0.lock();
        while gate.closed {
            gate.waiting = true;
            self.gate.1.notify_all();
            self.gate.1.wait(&mut gate);
        }
        gate.waiting = false;
        drop(gate);
        self.file.sync()
    }
}

fn open(disk: &Gated, settings: LogSettings) -> Arc<SegmentLog> {
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    let index = Arc::new(MemoryIndex::default());
    Arc::new(SegmentLog::open_on(Arc::new(disk.clone()), index, settings, clock).expect("a log"))
}

fn send(
    runtime: &Runtime,
    log: &Arc<SegmentLog>,
    request: AppendRequest,
) -> JoinHandle<Result<Vec<ItemResult>, LogError>> {
    let log = Arc::clone(log);
    runtime.spawn(async move { log.append(request).await.map(|reply| reply.results) })
}

fn small_commits() -> LogSettings {
    LogSettings { commit_events: 1, queue_requests: 4, segment_bytes: 1 << 20, ..LogSettings::default() }
}

#[test]
fn a_full_queue_refuses_and_keeps_what_it_took() {
    let (disk, runtime) = (Gated::new(), Runtime::new().expect("a runtime"));
    let log = open(&disk, small_commits());
    runtime.block_on(log.append(one(event("a", "first")))).expect("taken");
    disk.close();
    let sent: Vec<_> = (0..40).map(|n| send(&runtime, &log, one(event("a", &n.to_string())))).collect();
    disk.wait_for_sync();
    std::thread::sleep(Duration::from_millis(50));
    disk.open();
    let (mut taken, mut refused) = (1, 0);
    for answer in sent {
        match runtime.block_on(answer).expect("an answer") {
            Ok(_) => taken += 1,
            Err(error) => {
                let problem = Problem::from(error.clone());
                assert!(matches!(error, LogError::Busy { .. }), "{error}");
                assert_eq!((problem.class, problem.retry_after.is_some()), (ErrorClass::Busy, true));
                refused += 1;
            }
        }
    }
    assert!(refused > 20, "{refused} refused");
    assert_eq!(log.head(), Position::new(taken));
    assert_eq!(log.verify().expect("sound").events, taken);
}

#[test]
fn a_commit_without_space_takes_those_on_top_of_it_along() {
    let (disk, runtime) = (Gated::new(), Runtime::new().expect("a runtime"));
    let log = open(&disk, small_commits());
    runtime.block_on(log.append(one(event("a", "first")))).expect("taken");
    disk.close();
    let first = send(&runtime, &log, one(event("a", "1")));
    disk.wait_for_sync();
    // Staged on top of each other while the disk is busy: the second repeats the first of them.
    let second = send(&runtime, &log, one(event("a", "2")));
    std::thread::sleep(Duration::from_millis(50));
    let third = send(&runtime, &log, many(vec![event("a", "2")]));
    std::thread::sleep(Duration::from_millis(50));
    // The sync that waits needs no space, so the second commit's write meets this.
    disk.disk.inject(0, Fault::Full);
    disk.open();
    assert!(runtime.block_on(first).expect("an answer").is_ok());
    for answer in [second, third] {
        let answer = runtime.block_on(answer).expect("an answer");
        assert!(matches!(answer, Err(LogError::StorageFull { .. })), "{answer:?}");
    }
    assert_eq!(log.head(), Position::new(2));
    disk.disk.heal();
    let reply = runtime.block_on(log.append(one(event("a", "2")))).expect("taken");
    assert!(matches!(reply.results[0], ItemResult::Appended { position, .. } if position.get() == 3));
    assert_eq!(log.read(None, ReadLimit::default()).expect("read").len(), 3);
    assert_eq!(log.verify().expect("sound").events, 3);
}

#[test]
fn closing_serves_what_is_queued_and_then_refuses() {
    let (disk, runtime) = (Gated::new(), Runtime::new().expect("a runtime"));
    let log = open(&disk, LogSettings::default());
    let sent: Vec<_> = (0..50).map(|n| send(&runtime, &log, one(event("a", &n.to_string())))).collect();
    let start = Instant::now();
    log.close();
    let mut taken = 0;
    for answer in sent {
        match runtime.block_on(answer).expect("an answer") {
            Ok(_) => taken += 1,
            Err(error) => assert_eq!(error, LogError::Closed),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(log.head(), Position::new(taken));
    assert_eq!(runtime.block_on(log.append(one(event("a", "late")))), Err(LogError::Closed));
    assert_eq!(log.read(None, ReadLimit::default()).expect("reads go on").len() as u64, taken);
}

#[test]
fn the_head_file_follows_writers_that_never_pause() {
    let (disk, runtime) = (Gated::new(), Runtime::new().expect("a runtime"));
    let log = open(&disk, LogSettings { head_every: Duration::from_millis(300), ..LogSettings::default() });
    runtime.block_on(log.append(one(event("a", "first")))).expect("taken");
    let (head, start) = (disk.disk.bytes("head"), Instant::now());
    for n in 0.. {
        runtime.block_on(log.append(one(event("a", &n.to_string())))).expect("taken");
        if disk.disk.bytes("head") != head {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "after {n} commits the head file is as it was");
    }
}

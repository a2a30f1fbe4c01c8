//! The log on disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use partitura_event::{Clock, EventId, Position, Recorded, Revision, Source, StreamName, Timestamp, Workspace};
use tokio::sync::{oneshot, watch};

use crate::catch_up::catch_up;
use crate::disk::{Disk, OsDisk};
use crate::error::LogError;
use crate::event_log::{BoxFuture, EventLog, ReadLimit, Verified};
use crate::index::{FjallIndex, Index, Layers};
use crate::judge::Past;
use crate::key::Key;
use crate::reader::Reader;
use crate::recovery::recover;
use crate::reply::AppendReply;
use crate::request::AppendRequest;
use crate::settings::LogSettings;
use crate::shelf::Shelf;
use crate::state::State;
use crate::writer::{Group, Queue, Stage, Submission, Tail, Taken, turn};

/// Where the index is, in the log's folder.
const INDEX_FOLDER: &str = "index";

/// Keeps events in segment files. See [`EventLog`] for what it promises.
///
/// Closes itself when dropped, which waits for what is queued.
pub struct SegmentLog {
    state: Arc<State>,
    queue: Arc<Queue>,
    reader: Reader,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SegmentLog {
    /// Opens the log in `folder`, or makes a new one, with its index beside it.
    pub fn open(folder: &Path, settings: LogSettings, clock: Arc<dyn Clock>) -> Result<Self, LogError> {
        let io = |error: std::io::Error| LogError::Io {
            what: format!("opening {}", folder.display()),
            detail: error.to_string(),
        };
        let disk = OsDisk::open(folder).map_err(io)?;
        let index = FjallIndex::open(&folder.join(INDEX_FOLDER))?;
        Self::open_on(Arc::new(disk), Arc::new(index), settings, clock)
    }

    /// Opens the log on a disk, with an index.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        index: Arc<dyn Index>,
        settings: LogSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        let (state, tail) = open_parts(disk, index, settings, clock)?;
        let settings = &state.settings;
        let queue = Arc::new(Queue::new(settings.queue_requests, settings.queue_bytes, settings.retry_after));
        let threads = start(&state, &queue, tail).inspect_err(|_| {
            queue.close();
            state.layers.close();
        })?;
        Ok(Self { reader: Reader::new(Arc::clone(&state)), state, queue, threads: Mutex::new(threads) })
    }

    /// Serves what is queued, makes the index and the head file current, and stops. Later appends
    /// answer [`LogError::Closed`]; reads go on.
    pub fn close(&self) {
        self.queue.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            if thread.join().is_err() {
                self.state.poison("a thread of the log panicked".to_owned());
            }
            self.state.layers.close();
        }
        self.state.layers.flush();
    }

    async fn submit(&self, request: AppendRequest) -> Result<AppendReply, LogError> {
        self.state.check_sound()?;
        let (answering, answer) = oneshot::channel();
        self.queue.push(Submission::new(request, self.state.settings.compress_from_bytes, answering)?)?;
        match answer.await {
            Ok(reply) => reply,
            Err(_) => Err(self.state.check_sound().err().unwrap_or(LogError::Closed)),
        }
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// Opens a log's files and index, without any thread.
pub(crate) fn open_parts(
    disk: Arc<dyn Disk>,
    index: Arc<dyn Index>,
    settings: LogSettings,
    clock: Arc<dyn Clock>,
) -> Result<(Arc<State>, Tail), LogError> {
    let recovered = recover(&*disk, &settings)?;
    let shelf = Shelf::new(disk, recovered.head.log(), recovered.segments);
    let number = shelf.all().len() as u64;
    let layers = Layers::new(Arc::clone(&index), settings.index_events);
    let state = Arc::new(State::new(shelf, layers, recovered.tip, clock, settings));
    catch_up(&state, &*index)?;
    let mut tail = Tail::new(Arc::clone(&state), recovered.head, number, recovered.active);
    tail.write_head();
    Ok((state, tail))
}

/// Starts the threads: stage, tail, index, in the order in which they end.
fn start(state: &Arc<State>, queue: &Arc<Queue>, tail: Tail) -> Result<Vec<JoinHandle<()>>, LogError> {
    let (sender, receiver) = sync_channel::<Group>(1);
    let failed =
        |error: std::io::Error| LogError::Io { what: "starting a thread".to_owned(), detail: error.to_string() };
    let named = |name: &str| thread::Builder::new().name(name.to_owned());
    let (stage_state, stage_queue) = (Arc::clone(state), Arc::clone(queue));
    let stage = named("log-stage").spawn(move || {
        let guard = CloseOnDrop(stage_queue);
        turn::short();
        run_stage(Stage::new(stage_state), &guard.0, &sender);
    });
    let (tail_state, tail_queue) = (Arc::clone(state), Arc::clone(queue));
    let tail = named("log-tail").spawn(move || {
        let guard = CloseOnDrop(tail_queue);
        turn::short();
        run_tail(tail, &tail_state, &guard.0, &receiver);
    });
    let index_state = Arc::clone(state);
    let index = named("log-index").spawn(move || index_state.layers.run());
    Ok(vec![stage.map_err(failed)?, tail.map_err(failed)?, index.map_err(failed)?])
}

/// Closes the queue when its thread ends, by a panic too: then no caller waits for ever.
struct CloseOnDrop(Arc<Queue>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn run_stage(mut stage: Stage, queue: &Queue, commits: &SyncSender<Group>) {
    let patience = stage.patience();
    while let Taken::Submission(first) = queue.take() {
        stage.add(*first);
        while !stage.is_full() {
            match queue.take_more(patience) {
                Taken::Submission(next) => stage.add(*next),
                Taken::Commit | Taken::Closed => break,
            }
        }
        queue.begin_commit(stage.requests());
        if commits.send(stage.take()).is_err() {
            return;
        }
    }
}

fn run_tail(mut tail: Tail, state: &State, queue: &Queue, commits: &std::sync::mpsc::Receiver<Group>) {
    loop {
        match commits.recv_timeout(state.settings.head_every) {
            Ok(group) => {
                tail.commit(group);
                queue.end_commit();
            }
            Err(RecvTimeoutError::Timeout) if tail.head_is_behind() => tail.write_head(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    tail.write_head();
}

impl EventLog for SegmentLog {
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<AppendReply, LogError>> {
        Box::pin(self.submit(request))
    }

    fn read(&self, after: Option<Position>, limit: ReadLimit) -> Result<Vec<Recorded>, LogError> {
        self.reader.read(after, limit)
    }

    fn read_stream(
        &self,
        workspace: &Workspace,
        stream: &StreamName,
        after: Option<Revision>,
        limit: ReadLimit,
    ) -> Result<Vec<Recorded>, LogError> {
        let stream = Key::stream(workspace, stream);
        let positions = self.state.layers.positions(stream, Revision::after(after), limit.events)?;
        self.reader.read_positions(&positions, limit)
    }

    fn revision(&self, workspace: &Workspace, stream: &StreamName) -> Result<Option<Revision>, LogError> {
        self.state.layers.revision(Key::stream(workspace, stream))
    }

    fn head(&self) -> Option<Position> {
        self.state.tip().head()
    }

    fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.state.head.subscribe()
    }

    fn find(&self, workspace: &Workspace, source: &Source, id: &EventId) -> Result<Option<Position>, LogError> {
        let known = self.state.layers.event(Key::event(workspace, source, id))?;
        Ok(known.map(|known| known.position))
    }

    fn position_at(&self, recorded: Timestamp) -> Result<Option<Position>, LogError> {
        self.state.recording.settle(recorded, self.state.clock.now());
        self.reader.position_at(recorded)
    }

    fn verify(&self) -> Result<Verified, LogError> {
        self.reader.verify()
    }
}

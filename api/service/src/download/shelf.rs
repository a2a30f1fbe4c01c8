//! The files that are kept, who reads which of them, and how much of the disk they may take.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};
use partitura_query::Format;
use serde_json::json;
use tokio::time::Instant;

use super::Turn;
use super::file::KeptFile;
use crate::folder::unwritable;
use crate::principal::Principal;
use crate::quantity::show_bytes;
use crate::settings::Settings;
use crate::sql::SqlCall;

/// A pause this long ends a reading: who begins again wants what is new.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A reading that is older does not keep a beginner of the same key and program from what is new.
const READING_MAX: Duration = Duration::from_secs(30);

/// Names a question of a workspace: equal questions have one file at a position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question(blake3::Hash);

impl Question {
    pub fn new(principal: &Principal, sql: &SqlCall, format: Format) -> Self {
        let zone = sql.time_zone.as_deref();
        let asked = json!([principal.workspace.as_str(), sql.sql, sql.params, sql.limit, zone, format.name()]);
        let at = format!("{:?}", sql.at.as_of);
        Self(blake3::hash(format!("{asked} {at}").as_bytes()))
    }
}

/// Names who reads a question's file: a key and a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    question: Question,
    reader: blake3::Hash,
}

impl Reading {
    pub fn new(question: &Question, principal: &Principal, program: &str) -> Self {
        let reader = blake3::hash(format!("{} {program}", principal.actor).as_bytes());
        Self { question: question.clone(), reader }
    }
}

struct Opened {
    file: Arc<KeptFile>,
    begun: Instant,
    /// When a part was asked for; beginning is none.
    part: Option<Instant>,
}

struct Kept {
    question: Question,
    file: Arc<KeptFile>,
    used: Instant,
}

/// What a question's file will be.
pub(super) type Made = Shared<BoxFuture<'static, Result<Arc<KeptFile>, Problem>>>;

/// What there is of a question's file.
pub(super) enum Found {
    /// It is kept.
    Fresh(Arc<KeptFile>),
    /// It is being written.
    Making(Made),
}

#[derive(Default)]
struct State {
    /// Oldest first.
    kept: Vec<Kept>,
    readings: HashMap<Reading, Opened>,
    making: HashMap<Question, Made>,
}

/// All files.
pub(crate) struct Shelf {
    folder: PathBuf,
    files_max: usize,
    keep: Duration,
    disk: Arc<Disk>,
    state: Arc<Mutex<State>>,
}

impl Shelf {
    /// Opens an empty one: what an earlier run left is removed.
    pub fn open(folder: PathBuf, settings: &Settings) -> Result<Self, Problem> {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        }
        fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        let disk = Arc::new(Disk { taken: AtomicU64::new(0), max: settings.downloads_bytes_max });
        let (files_max, keep) = (settings.downloads_files_max.max(1), settings.downloads_keep);
        Ok(Self { folder, files_max, keep, disk, state: Arc::default() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns how many files are kept, and their bytes with those of the ones that are written or read to their end.
    pub fn load(&self) -> (usize, u64) {
        (self.state.lock().kept.len(), self.disk.taken.load(Ordering::Relaxed))
    }

    /// Starts an empty share of the disk.
    pub(super) fn room(&self) -> Room {
        Room { disk: Arc::clone(&self.disk), bytes: 0 }
    }

    /// Lets a file grow; files that were used longest ago make room.
    pub(super) fn grow(&self, room: &mut Room, more: u64) -> Result<(), Problem> {
        let (taken, max) = (&self.disk.taken, self.disk.max);
        taken.fetch_add(more, Ordering::Relaxed);
        room.bytes += more;
        while taken.load(Ordering::Relaxed) > max {
            if !self.state.lock().forget_oldest() {
                return Err(over(room.bytes, max));
            }
        }
        Ok(())
    }

    /// Returns the file of a question with one of these tags.
    pub(super) fn tagged(&self, question: &Question, tags: &[String]) -> Option<Arc<KeptFile>> {
        let mut state = self.state.lock();
        let kept = &mut state.kept;
        let found =
            kept.iter_mut().find(|kept| kept.question == *question && tags.iter().any(|tag| tag == kept.file.tag()))?;
        found.used = Instant::now();
        Some(Arc::clone(&found.file))
    }

    /// Returns the file that a reading has open, if this request belongs to it.
    pub(super) fn open_by(&self, reading: &Reading, turn: Turn) -> Option<Arc<KeptFile>> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let opened = state.readings.get_mut(reading)?;
        let busy = opened.part.is_some_and(|part| now - part < PAUSE_MAX) && now - opened.begun < READING_MAX;
        match turn {
            Turn::Whole => return None,
            // Tools open a file several times for one query. While one reads, the other joins it.
            Turn::Begins if !busy => return None,
            Turn::Begins => {}
            Turn::GoesOn => opened.part = Some(now),
        }
        let file = Arc::clone(&opened.file);
        for kept in state.kept.iter_mut().filter(|kept| Arc::ptr_eq(&kept.file, &file)) {
            kept.used = now;
        }
        Some(file)
    }

    /// Returns the question's file that was written last if it is fresh, or else what it will be: `start` begins to
    /// write it, unless somebody did. Both are looked for at once: a file that was finished between two looks would be
    /// written again.
    pub(super) fn fresh_or_making(
        &self,
        question: &Question,
        is_fresh: impl Fn(&KeptFile) -> bool,
        start: impl FnOnce() -> Made,
    ) -> Found {
        let mut state = self.state.lock();
        let newest = state.kept.iter_mut().rev().find(|kept| kept.question == *question);
        if let Some(kept) = newest.filter(|kept| is_fresh(&kept.file)) {
            kept.used = Instant::now();
            return Found::Fresh(Arc::clone(&kept.file));
        }
        Found::Making(state.making.entry(question.clone()).or_insert_with(start).clone())
    }

    /// Remembers which file a reading begins with.
    pub(super) fn begin(&self, reading: Reading, turn: Turn, file: &Arc<KeptFile>) {
        let now = Instant::now();
        let part = match turn {
            Turn::Whole => return,
            Turn::Begins => None,
            Turn::GoesOn => Some(now),
        };
        let opened = Opened { file: Arc::clone(file), begun: now, part };
        self.state.lock().readings.insert(reading, opened);
    }

    /// Keeps a file.
    pub(super) fn put(&self, question: Question, file: &Arc<KeptFile>, now: Instant) {
        let mut state = self.state.lock();
        state.kept.push(Kept { question, file: Arc::clone(file), used: now });
        while state.kept.len() > self.files_max {
            state.forget_oldest();
        }
    }

    /// Forgets files that nobody asked for in their time; `true` when none is left.
    pub fn sweep(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state.lock();
        let keep = self.keep;
        state.kept.retain(|kept| now - kept.used < keep);
        state.drop_readings();
        state.kept.is_empty()
    }
}

impl State {
    /// Forgets the file that was used longest ago. Its bytes are free when who reads it now has ended.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.kept.iter().enumerate().min_by_key(|(_, kept)| kept.used).map(|(at, _)| at);
        let Some(at) = oldest else { return false };
        self.kept.remove(at);
        self.drop_readings();
        true
    }

    fn drop_readings(&mut self) {
        let kept = &self.kept;
        self.readings.retain(|_, opened| kept.iter().any(|kept| Arc::ptr_eq(&kept.file, &opened.file)));
    }
}

/// The writing of a question's file, until it ended.
pub(super) struct Making {
    state: Arc<Mutex<State>>,
    question: Question,
}

impl Making {
    pub fn new(shelf: &Shelf, question: &Question) -> Self {
        Self { state: Arc::clone(&shelf.state), question: question.clone() }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.state.lock().making.remove(&self.question);
    }
}

#[derive(Debug)]
struct Disk {
    taken: AtomicU64,
    max: u64,
}

/// What one file takes of the disk, given back on drop.
#[derive(Debug)]
pub(super) struct Room {
    disk: Arc<Disk>,
    bytes: u64,
}

impl Room {
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.disk.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn over(bytes: u64, max: u64) -> Problem {
    let limit = show_bytes(max);
    let (class, detail) = if bytes > max {
        (ErrorClass::TooLarge, format!("the file would be larger than {limit}"))
    } else {
        (ErrorClass::Busy, format!("files that are read now take the {limit} that there are for them"))
    };
    let problem = Problem::new(class, detail).code("download_too_large").hint(
        "ask for fewer columns or rows, write it to a folder with `partitura export`, or raise `downloads_bytes_max`",
    );
    if class == ErrorClass::Busy { problem.code("downloads_busy").retry_after(Duration::from_secs(5)) } else { problem }
}

//! Writes commits to the last segment, syncs them, shows them to readers and answers their requests.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::disk::is_full;
use crate::error::LogError;
use crate::frame::{HEADER_BYTES, Tip};
use crate::head::HeadFile;
use crate::recovery::Active;
use crate::segment::{DATA_START, Mark, Segment, SegmentHead, Trailer, encode_footer, file_name};
use crate::settings::LogSettings;
use crate::state::State;

use super::group::Group;

/// The next segment until it is whole.
const NEXT_TMP: &str = "next.tmp";

/// The end of the log on disk.
pub(crate) struct Tail {
    state: Arc<State>,
    head: HeadFile,
    /// Number of the last segment.
    number: u64,
    active: Option<Active>,
    tip: Tip,
    /// Commits since the head file was written, and when that was.
    commits: u64,
    head_written: Instant,
}

/// How a commit fails.
enum Failure {
    /// No space, and nothing was written.
    Full(String),
    /// Nobody knows what was written.
    Broken(String),
}

impl Failure {
    /// Judges an error of a step that leaves nothing behind when there is no space.
    fn of(what: &str) -> impl Fn(io::Error) -> Self {
        move |error| match is_full(&error) {
            true => Self::Full(format!("{what}: {error}")),
            false => Self::Broken(format!("{what}: {error}")),
        }
    }

    /// Judges an error of a step that must not fail.
    fn broken(what: &str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Broken(format!("{what}: {error}"))
    }
}

impl Tail {
    pub(crate) fn new(state: Arc<State>, head: HeadFile, number: u64, active: Option<Active>) -> Self {
        let tip = state.tip();
        Self { state, head, number, active, tip, commits: 0, head_written: Instant::now() }
    }

    /// Makes a commit durable and answers its requests, or refuses them all.
    pub(crate) fn commit(&mut self, group: Group) {
        let (bytes, requests) = (group.bytes.len(), group.replies.len());
        let _in_span = tracing::debug_span!("commit", number = group.number, bytes, requests).entered();
        let outcome = self.try_commit(&group);
        if group.recorded_at.is_some() {
            self.state.recording.end(group.number);
        }
        match outcome {
            Ok(()) => {
                tracing::debug!("committed");
                group.answer();
            }
            Err(error) => group.refuse(&error),
        }
        let LogSettings { head_commits, head_every, .. } = self.state.settings;
        if self.commits >= head_commits || self.commits > 0 && self.head_written.elapsed() >= head_every {
            self.write_head();
        }
    }

    fn try_commit(&mut self, group: &Group) -> Result<(), LogError> {
        self.state.check_sound()?;
        if group.epoch != self.state.epoch() {
            return Err(LogError::StorageFull { detail: "the commit before this one found the disk full".to_owned() });
        }
        if group.bytes.is_empty() {
            return Ok(());
        }
        match self.write(group) {
            Ok(()) => Ok(()),
            Err(Failure::Full(detail)) => {
                tracing::warn!(detail, "no space for the log");
                self.state.next_epoch();
                Err(LogError::StorageFull { detail })
            }
            Err(Failure::Broken(detail)) => {
                self.state.poison(detail.clone());
                Err(LogError::Poisoned { detail })
            }
        }
    }

    fn write(&mut self, group: &Group) -> Result<(), Failure> {
        if group.before != self.tip {
            return Err(Failure::Broken("a commit does not follow the log's end".to_owned()));
        }
        self.make_room(group.bytes.len() as u64)?;
        let Some(active) = &mut self.active else {
            return Err(Failure::Broken("the log has no segment to write to".to_owned()));
        };
        if let Err(error) = active.file.write_at(active.offset, &group.bytes) {
            if is_full(&error) {
                wipe(active)?;
            }
            return Err(Failure::of("writing a commit")(error));
        }
        active.file.sync().map_err(Failure::broken("syncing a commit"))?;
        let start = active.offset;
        active.offset += group.bytes.len() as u64;
        let frames = group.frames.iter().map(|mark| Mark { offset: start + mark.offset, ..*mark });
        active.segment.grow(frames, active.offset);
        self.tip = group.after;
        self.commits += 1;
        self.state.layers.add(&group.layer, State::checkpoint(active.segment.number, active.offset, &self.tip));
        self.state.publish(group.number, self.tip);
        Ok(())
    }

    /// Makes sure that the active segment has room for `bytes`.
    fn make_room(&mut self, bytes: u64) -> Result<(), Failure> {
        if let Some(active) = &mut self.active {
            let end = active.offset + bytes;
            if end <= active.capacity && !active.sealing {
                return Ok(());
            }
            if active.offset == DATA_START {
                active.file.preallocate(end).map_err(Failure::of("enlarging a segment"))?;
                active.capacity = end;
                return Ok(());
            }
        }
        let prepared = self.prepare(bytes);
        let activated = prepared.and_then(|next| {
            self.seal()?;
            self.activate(next)
        });
        if matches!(activated, Err(Failure::Full(_))) {
            // Only tidiness: a file that stays is replaced by the next attempt.
            let _ = self.state.shelf.disk.remove(NEXT_TMP);
        }
        activated
    }

    /// Makes the next segment under a temporary name, whole and synced, before anything else changes.
    fn prepare(&self, bytes: u64) -> Result<Active, Failure> {
        let head = SegmentHead::after(&self.tip, self.state.shelf.log, self.number + 1);
        let capacity = self.state.settings.segment_bytes.max(DATA_START + bytes);
        let file = self.state.shelf.disk.create(NEXT_TMP).map_err(Failure::of("creating a segment"))?;
        file.preallocate(capacity).map_err(Failure::of("allocating a segment"))?;
        file.write_at(0, &head.encode()).map_err(Failure::of("writing a segment's header"))?;
        file.sync().map_err(Failure::broken("syncing a new segment"))?;
        Ok(Active { segment: Arc::new(Segment::new(&head)), file, offset: DATA_START, capacity, sealing: false })
    }

    /// Ends the active segment with a footer and a trailer.
    fn seal(&mut self) -> Result<(), Failure> {
        let Some(active) = &mut self.active else { return Ok(()) };
        // From here on it takes no more frames: a trailer that was written in spite of an error would hide them.
        active.sealing = true;
        let marks = active.segment.live_marks();
        let footer = encode_footer(&marks);
        let trailer = Trailer {
            log: self.state.shelf.log,
            number: active.segment.number,
            first_sequence: active.segment.first_sequence,
            first: active.segment.first,
            first_recorded_at: marks.first().map_or(0, |mark| mark.recorded_at),
            footer: active.offset,
            footer_bytes: footer.len() as u64,
            tip: self.tip,
        };
        let end = [footer, trailer.encode()].concat();
        active.file.write_at(active.offset, &end).map_err(Failure::of("writing a segment's footer"))?;
        let length = active.offset + end.len() as u64;
        active.file.set_length(length).map_err(Failure::broken("cutting a sealed segment"))?;
        active.file.sync().map_err(Failure::broken("syncing a sealed segment"))?;
        active.segment.seal(trailer);
        self.active = None;
        Ok(())
    }

    /// Gives the next segment its name. From then on it is the last one.
    fn activate(&mut self, next: Active) -> Result<(), Failure> {
        let disk = &self.state.shelf.disk;
        let name = file_name(next.segment.number);
        disk.rename(NEXT_TMP, &name).map_err(Failure::of("naming a segment"))?;
        disk.sync_folder().map_err(Failure::broken("syncing the log's folder"))?;
        self.number = next.segment.number;
        self.state.shelf.push(Arc::clone(&next.segment));
        self.active = Some(next);
        self.write_head();
        self.state.check_sound().map_err(|error| Failure::Broken(error.to_string()))
    }

    /// Writes the head file, if it is behind. Without space it stays behind until the next time.
    pub(crate) fn write_head(&mut self) {
        let mark = self.head.mark();
        if (mark.segment, mark.tip) == (self.number, self.tip) || self.state.check_sound().is_err() {
            return;
        }
        self.head_written = Instant::now();
        match self.head.write(self.number, self.tip) {
            Ok(()) => self.commits = 0,
            Err(error) if is_full(&error) => tracing::warn!(%error, "no space for the log's head file"),
            Err(error) => self.state.poison(format!("writing the head file: {error}")),
        }
    }

    /// Returns whether commits came in since the head file was written.
    pub(crate) const fn head_is_behind(&self) -> bool {
        self.commits > 0
    }
}

/// Takes back a commit that was written in part: without its first header none of it is ever read.
fn wipe(active: &Active) -> Result<(), Failure> {
    active.file.write_at(active.offset, &[0; HEADER_BYTES]).map_err(Failure::broken("taking a commit back"))?;
    active.file.sync().map_err(Failure::broken("syncing after taking a commit back"))
}

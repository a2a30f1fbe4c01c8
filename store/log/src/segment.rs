//! One segment file: a header page, frames, and once it is sealed a footer and a trailer.

mod layout;
mod walk;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::disk::File;
use crate::error::LogError;
use crate::frame::{ALIGN, HEADER_BYTES, Header};

pub(crate) use layout::{DATA_START, Preamble, SegmentHead, TRAILER_BYTES, Trailer, decode_footer, encode_footer};
pub(crate) use walk::{Frame, Walk};

/// One frame in this many bytes is marked, so that a position is found by reading at most this much.
pub(crate) const MARK_BYTES: u64 = 64 << 10;

/// Where a frame starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// In the file, in bytes.
    pub(crate) offset: u64,
    /// Position of its first event, or of the next one.
    pub(crate) first: u64,
    /// When it was recorded, in microseconds.
    pub(crate) recorded_at: i64,
}

/// A segment, as readers see it.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// Number of its first frame.
    pub(crate) first_sequence: u64,
    /// Position of its first event.
    pub(crate) first: u64,
    /// End of its durable frames, in bytes. Grows while it is the last one.
    end: AtomicU64,
    /// Marks of the active segment.
    live_marks: RwLock<Vec<Mark>>,
    /// Where the footer of a sealed segment is, and its marks once they were read.
    sealed: OnceLock<Sealed>,
}

#[derive(Debug)]
struct Sealed {
    trailer: Trailer,
    marks: OnceLock<Vec<Mark>>,
}

impl Segment {
    /// Makes the view of a segment that begins with `head`.
    pub(crate) fn new(head: &SegmentHead) -> Self {
        Self {
            number: head.number,
            first_sequence: head.first_sequence,
            first: head.first,
            end: AtomicU64::new(DATA_START),
            live_marks: RwLock::default(),
            sealed: OnceLock::new(),
        }
    }

    /// Returns the file's name.
    pub(crate) fn name(&self) -> String {
        file_name(self.number)
    }

    /// Returns where the durable frames end.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Lets readers see frames up to `end`; each is marked if the last mark is far enough.
    pub(crate) fn grow(&self, frames: impl IntoIterator<Item = Mark>, end: u64) {
        let mut marks = self.live_marks.write();
        for frame in frames {
            push_mark(&mut marks, frame);
        }
        drop(marks);
        self.end.store(end, Ordering::Release);
    }

    /// Notes that the segment has a trailer.
    pub(crate) fn seal(&self, trailer: Trailer) {
        self.end.store(trailer.footer, Ordering::Release);
        if self.sealed.set(Sealed { trailer, marks: OnceLock::new() }).is_ok() {
            self.live_marks.write().clear();
        }
    }

    /// Returns the trailer, if it is sealed.
    pub(crate) fn trailer(&self) -> Option<&Trailer> {
        self.sealed.get().map(|sealed| &sealed.trailer)
    }

    /// Returns the marks so far of the active segment.
    pub(crate) fn live_marks(&self) -> Vec<Mark> {
        self.live_marks.read().clone()
    }

    /// Returns the last mark that `before` holds for; `before` must hold for a prefix of the marks.
    pub(crate) fn mark(&self, file: &dyn File, before: impl Fn(&Mark) -> bool) -> Result<Option<Mark>, LogError> {
        let last = |marks: &[Mark]| marks[..marks.partition_point(&before)].last().copied();
        let Some(sealed) = self.sealed.get() else { return Ok(last(&self.live_marks.read())) };
        if sealed.marks.get().is_none() {
            let marks = self.read_marks(file, &sealed.trailer)?;
            let _ = sealed.marks.set(marks);
        }
        Ok(sealed.marks.get().and_then(|marks| last(marks)))
    }

    /// Reads the marks from the footer.
    pub(crate) fn read_marks(&self, file: &dyn File, trailer: &Trailer) -> Result<Vec<Mark>, LogError> {
        let bytes = self.read(file, trailer.footer, trailer.footer_bytes as usize)?;
        decode_footer(&bytes).map_err(|detail| self.corrupt(trailer.footer, detail))
    }

    /// Reads up to `length` bytes.
    pub(crate) fn read(&self, file: &dyn File, offset: u64, length: usize) -> Result<Vec<u8>, LogError> {
        crate::disk::read_up_to(file, offset, length)
            .map_err(|error| LogError::Io { what: format!("reading {}", self.name()), detail: error.to_string() })
    }

    /// Makes the error of damage at `offset`.
    pub(crate) fn corrupt(&self, offset: u64, detail: impl Into<String>) -> LogError {
        LogError::Corrupt { segment: self.name(), offset, detail: detail.into() }
    }
}

/// Adds a mark if it is far enough from the last one.
pub(crate) fn push_mark(marks: &mut Vec<Mark>, mark: Mark) {
    if marks.last().is_none_or(|last| mark.offset >= last.offset + MARK_BYTES) {
        marks.push(mark);
    }
}

/// Returns the name of segment `number`.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:010}.seg")
}

/// Returns the number in a segment's name.
pub(crate) fn file_number(name: &str) -> Option<u64> {
    name.strip_suffix(".seg")?.parse().ok().filter(|number| file_name(*number) == name)
}

/// Looks in the bytes behind damage for a frame that says that frame `sequence` was durable.
/// Then the damage is no torn tail: it is in acknowledged data. `start` is where `bytes` begin.
pub(crate) fn find_witness(bytes: &[u8], start: u64, log: u64, sequence: u64) -> Option<u64> {
    let first = start.next_multiple_of(ALIGN as u64) - start;
    (first as usize..bytes.len().saturating_sub(HEADER_BYTES - 1)).step_by(ALIGN).find_map(|at| {
        let header = Header::decode(&bytes[at..]).ok()?;
        (header.log == log && header.sequence > sequence && header.durable >= sequence).then_some(start + at as u64)
    })
}

//! Reads durable events: by position, by stream, by time, and all of them to check them.

use std::sync::Arc;

use parking_lot::Mutex;
use partitura_event::{Position, Recorded, Timestamp};

use crate::answer::{self, Answer};
use crate::cursor::Cursor;
use crate::error::LogError;
use crate::event_log::{ReadLimit, Verified};
use crate::frame::Tip;
use crate::record::{self, Fault};
use crate::segment::{
    DATA_START, Frame, MARK_BYTES, Mark, Segment, SegmentHead, TRAILER_BYTES, Trailer, Walk, push_mark,
};
use crate::state::State;

/// Ends of reads that are remembered, so that the next read of the same reader starts there.
const BOOKMARKS_MAX: usize = 16;

/// What an event costs of a read's bytes besides its data.
const ENVELOPE_BYTES: usize = 256;

/// Reads from the segments.
pub(crate) struct Reader {
    state: Arc<State>,
    /// Position, segment and offset of the frame that holds it; the newest last.
    bookmarks: Mutex<Vec<(u64, u64, u64)>>,
}

impl Reader {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self { state, bookmarks: Mutex::new(Vec::new()) }
    }

    /// Reads events after a position.
    pub(crate) fn read(&self, after: Option<Position>, limit: ReadLimit) -> Result<Vec<Recorded>, LogError> {
        let head = self.state.tip().position;
        let mut next = Position::after(after).get();
        let mut taken = Taken::new(limit);
        while next <= head && !taken.is_full() {
            let (segment, offset) = self.locate(next)?;
            let file = self.state.shelf.file(&segment)?;
            let mut walk = Walk::new(&segment, &*file, self.state.shelf.log_low(), offset, segment.end());
            let found = next;
            while next <= head && !taken.is_full() {
                let Some(frame) = next_holding(&mut walk, next)? else { break };
                if frame.header.first > next {
                    return Err(segment.corrupt(frame.offset, "positions are missing before this frame"));
                }
                next = take_from(&segment, &frame, next, head, &mut taken)?;
                self.bookmark(
                    next,
                    segment.number,
                    if next > frame.header.last() { frame.end() } else { frame.offset },
                );
            }
            if next == found {
                return Err(segment.corrupt(segment.end(), format!("position {next} is missing")));
            }
        }
        Ok(taken.events)
    }

    /// Reads the events at ascending positions.
    pub(crate) fn read_positions(&self, positions: &[Position], limit: ReadLimit) -> Result<Vec<Recorded>, LogError> {
        let mut taken = Taken::new(limit);
        let mut current: Option<(Arc<Segment>, Frame)> = None;
        for position in positions.iter().map(|position| position.get()) {
            if taken.is_full() {
                break;
            }
            let held = matches!(&current, Some((_, frame)) if frame.header.last() >= position);
            if !held {
                current = Some(self.frame_of(position)?);
            }
            if let Some((segment, frame)) = &current {
                take_from(segment, frame, position, position, &mut taken)?;
            }
        }
        Ok(taken.events)
    }

    /// Returns the last position recorded at or before `time`.
    pub(crate) fn position_at(&self, time: Timestamp) -> Result<Option<Position>, LogError> {
        let micros = time.micros();
        let tip = self.state.tip();
        if micros >= tip.recorded_at {
            return Ok(tip.head());
        }
        let started = |segment: &Segment| first_time(segment).is_some_and(|first| first <= micros);
        let segment = self.state.shelf.last_where(started);
        let Some(segment) = segment else { return Ok(None) };
        let file = self.state.shelf.file(&segment)?;
        let mark = segment.mark(&*file, |mark| mark.recorded_at <= micros)?;
        let offset = mark.map_or(DATA_START, |mark| mark.offset);
        let mut walk = self.look(&segment, &*file, offset);
        let mut last = segment.first - 1;
        while let Some((_, header)) = walk.next_header()? {
            if header.recorded_at > micros {
                break;
            }
            last = header.last();
        }
        Ok(Position::new(last))
    }

    /// Reads and checks everything up to the durable end.
    pub(crate) fn verify(&self) -> Result<Verified, LogError> {
        let end = self.state.tip();
        let mut verified = Verified::default();
        let mut tip = Tip::genesis(self.state.shelf.log);
        for segment in self.state.shelf.all() {
            self.verify_segment(&segment, &mut tip, &mut verified)?;
            verified.segments += 1;
        }
        if tip.sequence < end.sequence {
            let last = self.state.shelf.last_where(|_| true);
            let error = LogError::Index { detail: "the log has no segment".to_owned() };
            return Err(last.map_or(error, |last| last.corrupt(last.end(), "the log ends before its durable end")));
        }
        verified.head = tip.head();
        verified.chain = tip.hash;
        Ok(verified)
    }

    fn verify_segment(&self, segment: &Segment, tip: &mut Tip, verified: &mut Verified) -> Result<(), LogError> {
        let shelf = &self.state.shelf;
        let file = shelf.file(segment)?;
        let page = segment.read(&*file, 0, DATA_START as usize)?;
        if SegmentHead::decode(&segment.name(), &page)? != SegmentHead::after(tip, shelf.log, segment.number) {
            return Err(segment.corrupt(0, "the segment does not continue the one before"));
        }
        let trailer = segment.trailer().copied();
        let mut marks = Vec::new();
        let mut walk = Walk::new(segment, &*file, shelf.log_low(), DATA_START, segment.end());
        while let Some(frame) = walk.next_frame()? {
            let damage = |detail| segment.corrupt(frame.offset, detail);
            frame.header.check_follows(tip, shelf.log_low()).map_err(damage)?;
            check_payload(&frame).map_err(damage)?;
            *tip = frame.header.tip(frame.header_bytes(), frame.payload());
            push_mark(&mut marks, mark_of(&frame));
            verified.events += u64::from(frame.header.events);
            verified.frames += 1;
            verified.bytes += frame.header.stride() as u64;
        }
        match trailer {
            Some(trailer) => verify_end(segment, &*file, &trailer, tip, &marks),
            None => Ok(()),
        }
    }

    /// Returns the frame that holds a position.
    fn frame_of(&self, position: u64) -> Result<(Arc<Segment>, Frame), LogError> {
        let (segment, offset) = self.locate(position)?;
        let file = self.state.shelf.file(&segment)?;
        let frame = next_holding(&mut self.look(&segment, &*file, offset), position)?;
        match frame {
            Some(frame) if frame.header.first <= position => Ok((segment, frame)),
            _ => Err(segment.corrupt(segment.end(), format!("position {position} is missing"))),
        }
    }

    /// Returns a segment and the start of a frame at or before the one that holds `position`.
    fn locate(&self, position: u64) -> Result<(Arc<Segment>, u64), LogError> {
        let bookmark = self.bookmarks.lock().iter().rev().find(|(at, ..)| *at == position).copied();
        if let Some((_, number, offset)) = bookmark
            && let Some(segment) = self.state.shelf.numbered(number)
            && offset < segment.end()
            && self.state.shelf.numbered(number + 1).is_none_or(|following| following.first > position)
        {
            return Ok((segment, offset));
        }
        let Some(segment) = self.state.shelf.last_where(|segment| segment.first <= position) else {
            return Err(LogError::Index { detail: format!("position {position} is in no segment") });
        };
        let file = self.state.shelf.file(&segment)?;
        let mark = segment.mark(&*file, |mark| mark.first <= position)?;
        let offset = mark.map_or(DATA_START, |mark| mark.offset);
        Ok((segment, offset))
    }

    fn bookmark(&self, position: u64, segment: u64, offset: u64) {
        let mut bookmarks = self.bookmarks.lock();
        if bookmarks.len() >= BOOKMARKS_MAX {
            bookmarks.remove(0);
        }
        bookmarks.push((position, segment, offset));
    }

    fn look<'a>(&self, segment: &'a Segment, file: &'a dyn crate::disk::File, offset: u64) -> Walk<'a> {
        let walk = Walk::new(segment, file, self.state.shelf.log_low(), offset, segment.end());
        walk.with_chunk(MARK_BYTES as usize)
    }
}

/// Returns the time of a segment's first frame, or `None` if it has none.
fn first_time(segment: &Segment) -> Option<i64> {
    // A segment that is sealed in between has its marks no more, but its trailer already.
    let live = segment.live_marks().first().map(|mark| mark.recorded_at);
    live.or_else(|| segment.trailer().map(|trailer| trailer.first_recorded_at))
}

/// Events that were read, up to a limit.
struct Taken {
    events: Vec<Recorded>,
    bytes: usize,
    limit: ReadLimit,
}

impl Taken {
    const fn new(limit: ReadLimit) -> Self {
        Self { events: Vec::new(), bytes: 0, limit }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.limit.events || self.bytes >= self.limit.bytes && !self.events.is_empty()
    }

    fn push(&mut self, event: Recorded) {
        self.bytes += event.data.get().len() + ENVELOPE_BYTES;
        self.events.push(event);
    }
}

/// Steps over frames that end before `position`, and reads the next.
fn next_holding(walk: &mut Walk<'_>, position: u64) -> Result<Option<Frame>, LogError> {
    loop {
        let Some((_, header)) = walk.peek_header()? else { return Ok(None) };
        if header.last() >= position {
            return walk.next_frame();
        }
        walk.next_header()?;
    }
}

/// Takes the events of a frame from position `next` to `last`, and returns the position after them.
fn take_from(segment: &Segment, frame: &Frame, next: u64, last: u64, taken: &mut Taken) -> Result<u64, LogError> {
    let damage = |detail: &str| segment.corrupt(frame.offset, detail);
    let recorded_at = Timestamp::from_micros(frame.header.recorded_at).ok_or_else(|| damage("a time out of range"))?;
    let mut payload = Cursor(frame.payload());
    let mut following = next;
    for position in frame.header.first..=frame.header.last().min(last) {
        let record = record::next(&mut payload).map_err(damage)?;
        if position < next {
            continue;
        }
        if taken.is_full() {
            break;
        }
        let position = Position::new(position).ok_or_else(|| damage("position 0"))?;
        match record::decode(record, position, recorded_at) {
            Ok(event) => taken.push(event),
            Err(Fault::Sealed) => return Err(LogError::Sealed { position }),
            Err(Fault::Damaged(detail)) => return Err(damage(detail)),
        }
        following = position.get() + 1;
    }
    Ok(following)
}

/// Checks that all records of a frame can be read. Sealed data is checked by the frame alone.
fn check_payload(frame: &Frame) -> Result<(), &'static str> {
    let recorded_at = Timestamp::from_micros(frame.header.recorded_at).ok_or("a time out of range")?;
    let mut payload = Cursor(frame.payload());
    for position in frame.header.first..=frame.header.last() {
        let record = record::next(&mut payload)?;
        let position = Position::new(position).ok_or("position 0")?;
        match record::decode(record, position, recorded_at) {
            Ok(_) | Err(Fault::Sealed) => {}
            Err(Fault::Damaged(detail)) => return Err(detail),
        }
    }
    for _ in 0..frame.header.requests {
        let stored = answer::next(&mut payload).and_then(|(_, stored)| Answer::from_bytes(stored));
        stored.ok_or("a request record is damaged")?;
    }
    if payload.0.is_empty() { Ok(()) } else { Err("a frame's payload is longer than its records") }
}

fn mark_of(frame: &Frame) -> Mark {
    Mark { offset: frame.offset, first: frame.header.first, recorded_at: frame.header.recorded_at }
}

/// Checks a sealed segment's footer, trailer and length against its frames.
fn verify_end(
    segment: &Segment,
    file: &dyn crate::disk::File,
    trailer: &Trailer,
    tip: &Tip,
    marks: &[Mark],
) -> Result<(), LogError> {
    if segment.read_marks(file, trailer)? != marks {
        return Err(segment.corrupt(trailer.footer, "the footer does not fit the frames"));
    }
    let start = trailer.footer + trailer.footer_bytes;
    let bytes = segment.read(file, start, TRAILER_BYTES + 1)?;
    let stored = if bytes.len() == TRAILER_BYTES { Trailer::decode(&segment.name(), &bytes)? } else { None };
    if stored != Some(*trailer) || trailer.tip != *tip {
        return Err(segment.corrupt(start, "the trailer does not fit the frames"));
    }
    Ok(())
}

//! Opens a log's files: checks what must hold, cuts what a crash tore off, refuses all other damage.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, File, read_up_to};
use crate::error::LogError;
use crate::frame::Tip;
use crate::head::{HEAD_FILE, HeadFile};
use crate::segment::{
    DATA_START, Mark, Segment, SegmentHead, TRAILER_BYTES, Trailer, Walk, file_name, file_number, find_witness,
};
use crate::settings::LogSettings;

/// A log as it was found.
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) head: HeadFile,
    pub(crate) tip: Tip,
    /// The last segment, unless it is sealed.
    pub(crate) active: Option<Active>,
}

/// The segment that is written to.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    pub(crate) file: Arc<dyn File>,
    /// Where the next frame goes, in bytes.
    pub(crate) offset: u64,
    /// Bytes that are allocated.
    pub(crate) capacity: u64,
    /// Whether the footer was begun.
    pub(crate) sealing: bool,
}

/// Opens the log on `disk`, or makes a new one.
pub(crate) fn recover(disk: &dyn Disk, settings: &LogSettings) -> Result<Recovered, LogError> {
    let names = disk.list().map_err(io_error("listing the log"))?;
    for name in names.iter().filter(|name| name.ends_with(".tmp")) {
        disk.remove(name).map_err(io_error(name))?;
    }
    let numbers: Vec<u64> = names.iter().filter_map(|name| file_number(name)).collect();
    let head = open_head(disk, &names, &numbers)?;
    check_complete(&numbers, &head)?;
    let mut chain = Chain { log: head.log(), tip: Tip::genesis(head.log()) };
    let mut recovered = Recovered { segments: Vec::new(), head, tip: chain.tip, active: None };
    for (index, number) in numbers.iter().enumerate() {
        let last = index + 1 == numbers.len();
        let (segment, active) = chain.open(disk, *number, last, settings, recovered.head.mark())?;
        recovered.segments.push(segment);
        recovered.active = active;
    }
    recovered.tip = chain.tip;
    check_head(&recovered)?;
    disk.sync_folder().map_err(io_error("syncing the log's folder"))?;
    Ok(recovered)
}

fn open_head(disk: &dyn Disk, names: &[String], numbers: &[u64]) -> Result<HeadFile, LogError> {
    if names.iter().any(|name| name == HEAD_FILE) {
        return HeadFile::open(disk);
    }
    match numbers.first() {
        None => HeadFile::create(disk).map_err(|error| match crate::disk::is_full(&error) {
            true => LogError::StorageFull { detail: error.to_string() },
            false => io_error("creating the head file")(error),
        }),
        Some(_) => Err(corrupt(HEAD_FILE, 0, "the head file is missing")),
    }
}

/// Checks that no segment is missing: neither in between nor at the end.
fn check_complete(numbers: &[u64], head: &HeadFile) -> Result<(), LogError> {
    let last = numbers.last().copied().unwrap_or(0).max(head.mark().segment);
    match (1..=last).find(|number| !numbers.contains(number)) {
        Some(missing) => Err(corrupt(&file_name(missing), 0, "the segment is missing")),
        None => Ok(()),
    }
}

/// Checks that the log does not end before what was durable.
fn check_head(recovered: &Recovered) -> Result<(), LogError> {
    let durable = &recovered.head.mark().tip;
    let Some(last) = recovered.segments.last() else { return Ok(()) };
    if recovered.tip.sequence < durable.sequence {
        let detail =
            format!("the log ends with frame {}, but frame {} was durable", recovered.tip.sequence, durable.sequence);
        return Err(last.corrupt(last.end(), detail));
    }
    if recovered.tip.sequence == durable.sequence && recovered.tip != *durable {
        return Err(last.corrupt(last.end(), "the last frame is not the one that was durable"));
    }
    Ok(())
}

/// The links from segment to segment.
struct Chain {
    log: u128,
    tip: Tip,
}

impl Chain {
    fn open(
        &mut self,
        disk: &dyn Disk,
        number: u64,
        last: bool,
        settings: &LogSettings,
        durable: &crate::head::Mark,
    ) -> Result<(Arc<Segment>, Option<Active>), LogError> {
        let name = file_name(number);
        let file = disk.open(&name).map_err(io_error(&name))?;
        let segment = Arc::new(self.check_segment_head(&*file, &name, number)?);
        let length = file.length().map_err(io_error(&name))?;
        if let Some(trailer) = self.trailer(&*file, &segment, length)?
            && (!last || segment.read_marks(&*file, &trailer).is_ok())
        {
            if last {
                // A process that was killed may have sealed it without a sync.
                file.sync().map_err(io_error(&name))?;
            }
            self.tip = trailer.tip;
            segment.seal(trailer);
            return Ok((segment, None));
        }
        if !last {
            let trailer = length.saturating_sub(TRAILER_BYTES as u64);
            return Err(segment.corrupt(trailer, "the trailer of the sealed segment is damaged or missing"));
        }
        let active = self.open_active(segment, file, length, settings, durable)?;
        Ok((Arc::clone(&active.segment), Some(active)))
    }

    /// Checks that the segment's header follows the chain.
    fn check_segment_head(&self, file: &dyn File, name: &str, number: u64) -> Result<Segment, LogError> {
        let page = read_up_to(file, 0, DATA_START as usize).map_err(io_error(name))?;
        let found = SegmentHead::decode(name, &page)?;
        let expected = SegmentHead::after(&self.tip, self.log, number);
        let detail = match () {
            () if found == expected => return Ok(Segment::new(&found)),
            () if found.log != expected.log => "the segment is of another log".to_owned(),
            () if found.number != number => format!("the file holds segment {}", found.number),
            () => "the segment does not continue the one before".to_owned(),
        };
        Err(corrupt(name, 0, &detail))
    }

    /// Reads the trailer and checks that it fits the segment; `None` if there is none.
    fn trailer(&self, file: &dyn File, segment: &Segment, length: u64) -> Result<Option<Trailer>, LogError> {
        let name = segment.name();
        let Some(start) = length.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let bytes = read_up_to(file, start, TRAILER_BYTES).map_err(io_error(&name))?;
        let Some(trailer) = Trailer::decode(&name, &bytes)? else { return Ok(None) };
        let fits = trailer.log == self.log
            && trailer.number == segment.number
            && trailer.first_sequence == segment.first_sequence
            && trailer.first == segment.first
            && trailer.footer.checked_add(trailer.footer_bytes) == Some(start)
            && trailer.footer > DATA_START;
        if fits { Ok(Some(trailer)) } else { Err(segment.corrupt(start, "the trailer is of another segment")) }
    }

    /// Reads all frames of the last segment, cuts a torn tail, and makes the rest durable.
    fn open_active(
        &mut self,
        segment: Arc<Segment>,
        file: Arc<dyn File>,
        length: u64,
        settings: &LogSettings,
        durable: &crate::head::Mark,
    ) -> Result<Active, LogError> {
        let name = segment.name();
        let log = self.log as u64;
        let mut walk = Walk::new(&segment, &*file, log, DATA_START, length);
        let mut marks = Vec::new();
        let torn = loop {
            let offset = walk.offset();
            let frame = match walk.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break None,
                Err(LogError::Corrupt { detail, .. }) => break Some((offset, detail)),
                Err(error) => return Err(error),
            };
            if let Err(detail) = frame.header.check_follows(&self.tip, log) {
                break Some((offset, detail.to_owned()));
            }
            self.tip = frame.header.tip(frame.header_bytes(), frame.payload());
            if self.tip.sequence == durable.tip.sequence && self.tip != durable.tip {
                return Err(segment.corrupt(offset, "the frame is not the one that was durable"));
            }
            marks.push(Mark { offset, first: frame.header.first, recorded_at: frame.header.recorded_at });
        };
        let offset = torn.as_ref().map_or(length.max(DATA_START), |(offset, _)| *offset);
        let capacity = settings.segment_bytes.max(offset);
        if let Some((offset, detail)) = torn {
            self.cut(&segment, &*file, offset, length, &detail)?;
        }
        segment.grow(marks, offset);
        let allocated = file.preallocate(capacity);
        if let Err(error) = &allocated {
            tracing::warn!(segment = name, %error, "no space to append to the log's last segment");
        }
        file.sync().map_err(io_error(&name))?;
        let capacity = if allocated.is_ok() { capacity } else { offset };
        Ok(Active { segment, file, offset, capacity, sealing: false })
    }

    /// Cuts what follows the last whole frame, unless it proves that acknowledged data is damaged.
    fn cut(&self, segment: &Segment, file: &dyn File, offset: u64, length: u64, detail: &str) -> Result<(), LogError> {
        let name = segment.name();
        let tail = segment.read(file, offset, (length - offset) as usize)?;
        if let Some(witness) = find_witness(&tail, offset, self.log as u64, self.tip.sequence + 1) {
            let detail = format!("{detail}, and the frame at byte {witness} says that it was durable");
            return Err(segment.corrupt(offset, detail));
        }
        let torn = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if torn > 0 {
            tracing::warn!(segment = name, offset, bytes = torn, "cutting an unacknowledged commit off the log");
            file.set_length(offset).map_err(io_error(&name))?;
        }
        Ok(())
    }
}

fn corrupt(segment: &str, offset: u64, detail: &str) -> LogError {
    LogError::Corrupt { segment: segment.to_owned(), offset, detail: detail.to_owned() }
}

fn io_error(what: &str) -> impl Fn(io::Error) -> LogError {
    let what = what.to_owned();
    move |error| LogError::Io { what: what.clone(), detail: error.to_string() }
}

//! Goes through the frames of a segment one by one, checking each before it is shown.

use std::sync::Arc;

use crate::disk::File;
use crate::error::LogError;
use crate::frame::{HEADER_BYTES, Header};

use super::Segment;

/// How much is read at once when frames are read in order.
const CHUNK_BYTES: usize = 512 << 10;

/// A frame that was read, with its checksums verified.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Where it starts in its segment.
    pub(crate) offset: u64,
    pub(crate) header: Header,
    /// The chunk that holds it.
    chunk: Arc<Vec<u8>>,
    start: usize,
}

impl Frame {
    /// Returns the header's bytes.
    pub(crate) fn header_bytes(&self) -> &[u8] {
        &self.chunk[self.start..self.start + HEADER_BYTES]
    }

    /// Returns the payload.
    pub(crate) fn payload(&self) -> &[u8] {
        let start = self.start + HEADER_BYTES;
        &self.chunk[start..start + self.header.payload as usize]
    }

    /// Returns the bytes between the payload and the next frame.
    fn padding(&self) -> &[u8] {
        let end = self.start + HEADER_BYTES + self.header.payload as usize;
        &self.chunk[end..self.start + self.header.stride()]
    }

    /// Returns where the next frame starts in the segment.
    pub(crate) const fn end(&self) -> u64 {
        self.offset + self.header.stride() as u64
    }
}

/// Reads a segment's frames from some frame's start up to an end.
pub(crate) struct Walk<'a> {
    segment: &'a Segment,
    file: &'a dyn File,
    offset: u64,
    end: u64,
    log: u64,
    chunk: Arc<Vec<u8>>,
    chunk_start: u64,
    chunk_bytes: usize,
}

impl<'a> Walk<'a> {
    /// Starts at `offset`, where a frame must start, and goes to `end`.
    pub(crate) fn new(segment: &'a Segment, file: &'a dyn File, log: u64, offset: u64, end: u64) -> Self {
        let chunk = Arc::default();
        Self { segment, file, offset, end, log, chunk, chunk_start: offset, chunk_bytes: CHUNK_BYTES }
    }

    /// Reads less at once, for a look at a few frames.
    pub(crate) const fn with_chunk(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes;
        self
    }

    /// Returns where the next frame starts.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next header only, checks it, and steps over its frame.
    pub(crate) fn next_header(&mut self) -> Result<Option<(u64, Header)>, LogError> {
        let next = self.peek_header()?;
        if let Some((_, header)) = &next {
            self.offset += header.stride() as u64;
        }
        Ok(next)
    }

    /// Reads the next header only and checks it.
    pub(crate) fn peek_header(&mut self) -> Result<Option<(u64, Header)>, LogError> {
        if self.offset >= self.end {
            return Ok(None);
        }
        let offset = self.offset;
        let start = self.fill(HEADER_BYTES)?;
        let header = Header::decode(&self.chunk[start..]).map_err(|detail| self.damage(detail))?;
        if header.log != self.log {
            return Err(self.damage("a frame is of another log"));
        }
        if offset + header.stride() as u64 > self.end {
            return Err(self.damage("a frame is longer than its segment"));
        }
        Ok(Some((offset, header)))
    }

    /// Reads and checks the next frame.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, LogError> {
        let Some((offset, header)) = self.peek_header()? else { return Ok(None) };
        let start = self.fill(header.stride())?;
        let frame = Frame { offset, header, chunk: Arc::clone(&self.chunk), start };
        frame.header.check_payload(frame.payload()).map_err(|detail| self.damage(detail))?;
        if frame.padding().iter().any(|byte| *byte != 0) {
            return Err(self.damage("the bytes after a frame are not 0"));
        }
        self.offset = frame.end();
        Ok(Some(frame))
    }

    /// Makes sure that `bytes` from the offset on are in the chunk, and returns where they start in it.
    fn fill(&mut self, bytes: usize) -> Result<usize, LogError> {
        let skipped = (self.offset - self.chunk_start) as usize;
        if skipped + bytes <= self.chunk.len() {
            return Ok(skipped);
        }
        let room = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        let wanted = bytes.max(self.chunk_bytes).min(room);
        let chunk = self.segment.read(self.file, self.offset, wanted)?;
        if chunk.len() < bytes {
            return Err(self.damage("the file ends in a frame"));
        }
        self.chunk = Arc::new(chunk);
        self.chunk_start = self.offset;
        Ok(0)
    }

    fn damage(&self, detail: &str) -> LogError {
        self.segment.corrupt(self.offset, detail)
    }
}

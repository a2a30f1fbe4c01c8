//! A frame: the unit of writing, checking and chaining. Its bytes are in `docs/format/log.md`.

use partitura_event::{Position, Timestamp};

use crate::cursor::{Cursor, Put};

/// Bytes of a frame's header.
pub(crate) const HEADER_BYTES: usize = 96;

/// Frames start at multiples of this.
pub(crate) const ALIGN: usize = 8;

const MAGIC: u32 = u32::from_le_bytes(*b"PFRM");

/// Most bytes of one frame's payload: a request of the largest events, with room.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 512 << 20;

/// Positions and frame numbers stay below this, so that sums never overflow.
const ORDINAL_MAX: u64 = 1 << 62;

/// One link of the hash chain.
pub(crate) type Hash = [u8; 32];

/// Where the log ends: the last frame, the last position, the last link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Number of the last frame; 0 if there is none.
    pub(crate) sequence: u64,
    /// The last position; 0 if there is none.
    pub(crate) position: u64,
    /// When the last frame was recorded, in microseconds.
    pub(crate) recorded_at: i64,
    /// Hash of the last frame, or of the log's id.
    pub(crate) hash: Hash,
}

impl Tip {
    /// The end of an empty log.
    pub(crate) fn genesis(log: u128) -> Self {
        let hash = *blake3::hash(&log.to_le_bytes()).as_bytes();
        Self { sequence: 0, position: 0, recorded_at: 0, hash }
    }

    /// Returns the last position.
    pub(crate) fn head(&self) -> Option<Position> {
        Position::new(self.position)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Low half of the log's id.
    pub(crate) log: u64,
    /// Number of the frame, dense from 1.
    pub(crate) sequence: u64,
    /// Position of the first event, or of the next one if there is none in the frame.
    pub(crate) first: u64,
    /// The last frame that was durable when this one was written: damage up to it is no torn tail.
    pub(crate) durable: u64,
    /// When its events were recorded, in microseconds.
    pub(crate) recorded_at: i64,
    /// Events in the payload.
    pub(crate) events: u32,
    /// Request records after the events.
    pub(crate) requests: u32,
    /// Bytes of the payload, without padding.
    pub(crate) payload: u32,
    /// CRC-32C of the payload.
    pub(crate) payload_crc: u32,
    /// Hash of the frame before.
    pub(crate) previous: Hash,
}

impl Header {
    /// Returns the header's bytes.
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.put_u32(MAGIC);
        out.put_u32(0);
        out.put_u64(self.log);
        out.put_u64(self.sequence);
        out.put_u64(self.first);
        out.put_u64(self.durable);
        out.put_i64(self.recorded_at);
        out.put_u32(self.events);
        out.put_u32(self.requests);
        out.put_u32(self.payload);
        out.put_u32(self.payload_crc);
        out.put(&self.previous);
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&out);
        let crc = crc32c::crc32c(&header[8..]);
        header[4..8].copy_from_slice(&crc.to_le_bytes());
        header
    }

    /// Reads a header, or says what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let header = bytes.get(..HEADER_BYTES).ok_or("the file ends in a frame's header")?;
        let mut rest = Cursor(header);
        if rest.u32() != Some(MAGIC) {
            return Err("no frame starts here");
        }
        if rest.u32() != Some(crc32c::crc32c(&header[8..])) {
            return Err("a frame's header has a wrong checksum");
        }
        let plausible = |header: &Self| {
            header.payload as usize <= MAX_PAYLOAD_BYTES
                && (1..ORDINAL_MAX).contains(&header.first)
                && header.sequence < ORDINAL_MAX
        };
        Self::fields(rest).filter(plausible).ok_or("a frame's header has fields out of range")
    }

    fn fields(mut rest: Cursor<'_>) -> Option<Self> {
        Some(Self {
            log: rest.u64()?,
            sequence: rest.u64()?,
            first: rest.u64()?,
            durable: rest.u64()?,
            recorded_at: rest.i64()?,
            events: rest.u32()?,
            requests: rest.u32()?,
            payload: rest.u32()?,
            payload_crc: rest.u32()?,
            previous: rest.array()?,
        })
    }

    /// Returns the bytes from this frame's first byte to the next frame's.
    pub(crate) const fn stride(&self) -> usize {
        (HEADER_BYTES + self.payload as usize).next_multiple_of(ALIGN)
    }

    /// Returns the last position after this frame.
    pub(crate) const fn last(&self) -> u64 {
        self.first + self.events as u64 - 1
    }

    /// Checks that this frame follows `tip` in the log with this id.
    pub(crate) fn check_follows(&self, tip: &Tip, log: u64) -> Result<(), &'static str> {
        match () {
            () if self.log != log => Err("a frame is of another log"),
            () if self.sequence != tip.sequence + 1 => Err("a frame is missing, doubled or out of order"),
            () if self.first != tip.position + 1 => Err("a frame's positions do not follow"),
            () if self.recorded_at < tip.recorded_at => Err("a frame's time goes back"),
            () if self.previous != tip.hash => Err("the hash chain is broken"),
            () => Ok(()),
        }
    }

    /// Checks the payload's checksum.
    pub(crate) fn check_payload(&self, payload: &[u8]) -> Result<(), &'static str> {
        if crc32c::crc32c(payload) == self.payload_crc { Ok(()) } else { Err("a frame's payload has a wrong checksum") }
    }

    /// Returns the tip after this frame.
    pub(crate) fn tip(&self, header: &[u8], payload: &[u8]) -> Tip {
        let hash = *blake3::Hasher::new().update(header).update(payload).finalize().as_bytes();
        Tip { sequence: self.sequence, position: self.last(), recorded_at: self.recorded_at, hash }
    }
}

/// Builds one frame at the end of a buffer.
#[derive(Debug)]
pub(crate) struct FrameBuilder {
    start: usize,
    events: u32,
    requests: u32,
    answers: Vec<u8>,
}

impl FrameBuilder {
    /// Leaves room for the header at the end of `out`.
    pub(crate) fn begin(out: &mut Vec<u8>) -> Self {
        let start = out.len();
        out.resize(start + HEADER_BYTES, 0);
        Self { start, events: 0, requests: 0, answers: Vec::new() }
    }

    /// Counts a record that was appended to the buffer.
    pub(crate) const fn add_event(&mut self) {
        self.events += 1;
    }

    /// Adds a request record, to be written after all events.
    pub(crate) fn add_request(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        self.requests += 1;
        encode(&mut self.answers);
    }

    /// Returns where the frame starts in the buffer.
    pub(crate) const fn start(&self) -> usize {
        self.start
    }

    /// Returns the payload's bytes so far.
    pub(crate) fn payload_bytes(&self, out: &[u8]) -> usize {
        out.len() - self.start - HEADER_BYTES + self.answers.len()
    }

    /// Writes the header and the padding, and returns the header and the new tip.
    pub(crate) fn finish(self, out: &mut Vec<u8>, log: u64, tip: &Tip, durable: u64, at: Timestamp) -> (Header, Tip) {
        out.put(&self.answers);
        let payload_start = self.start + HEADER_BYTES;
        let payload = &out[payload_start..];
        let header = Header {
            log,
            sequence: tip.sequence + 1,
            first: tip.position + 1,
            durable,
            recorded_at: at.micros(),
            events: self.events,
            requests: self.requests,
            payload: payload.len() as u32,
            payload_crc: crc32c::crc32c(payload),
            previous: tip.hash,
        };
        let encoded = header.encode();
        let tip = header.tip(&encoded, payload);
        out[self.start..payload_start].copy_from_slice(&encoded);
        out.resize(self.start + header.stride(), 0);
        (header, tip)
    }
}

//! The bytes of a segment around its frames. `docs/format/log.md` draws them.

use crate::cursor::{Cursor, Put};
use crate::error::LogError;
use crate::frame::{Hash, Tip};

use super::Mark;

/// Version of the format; a reader refuses every other.
pub(crate) const FORMAT: u32 = 1;

/// Where the first frame starts: the header has a page of its own.
pub(crate) const DATA_START: u64 = 4096;

/// Bytes of the trailer, the last ones of a sealed segment.
pub(crate) const TRAILER_BYTES: usize = 144;

const HEAD_MAGIC: &[u8; 8] = b"PARTLOG\n";
const TRAILER_MAGIC: &[u8; 8] = b"PARTEND\n";
const FOOTER_MAGIC: u32 = u32::from_le_bytes(*b"PFTR");

/// What all parts of all files begin with: magic, CRC of the rest, format, log id.
#[derive(Debug)]
pub(crate) struct Preamble;

impl Preamble {
    /// Bytes of it.
    pub(crate) const BYTES: usize = 32;

    /// Writes `fields` behind a preamble.
    pub(crate) fn encode(magic: &[u8; 8], log: u128, fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(magic);
        out.put_u32(0);
        out.put_u32(FORMAT);
        out.put(&log.to_le_bytes());
        fields(&mut out);
        let crc = crc32c::crc32c(&out[12..]);
        out[8..12].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Checks the preamble of `bytes` and returns the log's id and the fields. `None`: not intact.
    pub(crate) fn decode<'a>(
        magic: &[u8; 8],
        file: &str,
        bytes: &'a [u8],
    ) -> Result<Option<(u128, Cursor<'a>)>, LogError> {
        let mut rest = Cursor(bytes);
        let (Some(found), Some(crc)) = (rest.array::<8>(), rest.u32()) else { return Ok(None) };
        if found != *magic || crc != crc32c::crc32c(rest.0) {
            return Ok(None);
        }
        let (Some(format), Some(log)) = (rest.u32(), rest.array()) else { return Ok(None) };
        if format != FORMAT {
            return Err(LogError::Format { file: file.to_owned(), found: format, supported: FORMAT });
        }
        Ok(Some((u128::from_le_bytes(log), rest)))
    }
}

/// The first bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) log: u128,
    pub(crate) number: u64,
    /// Number of the first frame.
    pub(crate) first_sequence: u64,
    /// Position of the first event.
    pub(crate) first: u64,
    /// Hash of the frame before.
    pub(crate) previous: Hash,
}

impl SegmentHead {
    /// The header of segment `number` after `tip`.
    pub(crate) const fn after(tip: &Tip, log: u128, number: u64) -> Self {
        Self { log, number, first_sequence: tip.sequence + 1, first: tip.position + 1, previous: tip.hash }
    }

    /// Returns its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        Preamble::encode(HEAD_MAGIC, self.log, |out| {
            out.put_u64(self.number);
            out.put_u64(self.first_sequence);
            out.put_u64(self.first);
            out.put(&self.previous);
            out.resize(DATA_START as usize, 0);
        })
    }

    /// Reads it from the first page of `file`.
    pub(crate) fn decode(file: &str, page: &[u8]) -> Result<Self, LogError> {
        let damaged = || LogError::Corrupt {
            segment: file.to_owned(),
            offset: 0,
            detail: "the segment's header is damaged".to_owned(),
        };
        let bytes = page.get(..DATA_START as usize).ok_or_else(damaged)?;
        let (log, mut rest) = Preamble::decode(HEAD_MAGIC, file, bytes)?.ok_or_else(damaged)?;
        let mut fields = || {
            let (number, first_sequence, first) = (rest.u64()?, rest.u64()?, rest.u64()?);
            Some(Self { log, number, first_sequence, first, previous: rest.array()? })
        };
        fields().ok_or_else(damaged)
    }
}

/// The last bytes of a sealed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) log: u128,
    pub(crate) number: u64,
    pub(crate) first_sequence: u64,
    pub(crate) first: u64,
    /// Time of the first frame, in microseconds.
    pub(crate) first_recorded_at: i64,
    /// End of the last frame, where the footer starts.
    pub(crate) footer: u64,
    /// Bytes of the footer.
    pub(crate) footer_bytes: u64,
    /// The log's end when it was sealed.
    pub(crate) tip: Tip,
}

impl Trailer {
    /// Returns its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Preamble::encode(TRAILER_MAGIC, self.log, |out| {
            out.put_u64(self.number);
            out.put_u64(self.first_sequence);
            out.put_u64(self.first);
            out.put_i64(self.first_recorded_at);
            out.put_u64(self.footer);
            out.put_u64(self.footer_bytes);
            out.put_u64(self.tip.sequence);
            out.put_u64(self.tip.position);
            out.put_i64(self.tip.recorded_at);
            out.put(&self.tip.hash);
            out.put_u64(0);
        });
        out.truncate(TRAILER_BYTES);
        out
    }

    /// Reads it from the last bytes of `file`; `None` if there is no intact one.
    pub(crate) fn decode(file: &str, bytes: &[u8]) -> Result<Option<Self>, LogError> {
        let Some(start) = bytes.len().checked_sub(TRAILER_BYTES) else { return Ok(None) };
        let Some((log, rest)) = Preamble::decode(TRAILER_MAGIC, file, &bytes[start..])? else { return Ok(None) };
        Ok(Self::fields(log, rest))
    }

    fn fields(log: u128, mut rest: Cursor<'_>) -> Option<Self> {
        Some(Self {
            log,
            number: rest.u64()?,
            first_sequence: rest.u64()?,
            first: rest.u64()?,
            first_recorded_at: rest.i64()?,
            footer: rest.u64()?,
            footer_bytes: rest.u64()?,
            tip: Tip { sequence: rest.u64()?, position: rest.u64()?, recorded_at: rest.i64()?, hash: rest.array()? },
        })
    }
}

/// Returns the footer's bytes: the marks with a checksum.
pub(crate) fn encode_footer(marks: &[Mark]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + marks.len() * 24);
    out.put_u32(FOOTER_MAGIC);
    out.put_u32(0);
    out.put_u64(marks.len() as u64);
    for mark in marks {
        out.put_u64(mark.offset);
        out.put_u64(mark.first);
        out.put_i64(mark.recorded_at);
    }
    let crc = crc32c::crc32c(&out[8..]);
    out[4..8].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Reads a footer.
pub(crate) fn decode_footer(bytes: &[u8]) -> Result<Vec<Mark>, &'static str> {
    const DAMAGED: &str = "the segment's footer is damaged";
    let mut rest = Cursor(bytes);
    let (magic, crc) = (rest.u32().ok_or(DAMAGED)?, rest.u32().ok_or(DAMAGED)?);
    if magic != FOOTER_MAGIC || crc != crc32c::crc32c(rest.0) {
        return Err(DAMAGED);
    }
    let count = rest.u64().ok_or(DAMAGED)?;
    let mark = |rest: &mut Cursor<'_>| Some(Mark { offset: rest.u64()?, first: rest.u64()?, recorded_at: rest.i64()? });
    (0..count).map(|_| mark(&mut rest).ok_or(DAMAGED)).collect()
}

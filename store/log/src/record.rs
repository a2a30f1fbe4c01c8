//! One event as bytes: names in the clear, data compressed on its own where that pays.
//!
//! A record is complete except for its position and time, which its frame has, and its revision, which
//! the writer patches in: so callers encode records on their own threads.

use std::cell::RefCell;

use partitura_event::{Draft, Fingerprint, Payload, Position, Recorded, Revision, Timestamp};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NameError, StringDeserializer};

use crate::cursor::{Cursor, Put};
use crate::error::LogError;
use crate::key::Key;

/// Most bytes of one event's data, before and after compression.
pub const MAX_DATA_BYTES: usize = 64 << 20;

/// The data is one zstd frame.
const ZSTD: u8 = 1;
/// The data is sealed: key id and nonce are present. Defined for later; this version refuses it.
const SEALED: u8 = 2;

/// Where the revision is, counted from the record's first byte.
const REVISION_AT: usize = 6;

thread_local! {
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Why a record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not what was written.
    Damaged(&'static str),
    /// A later version sealed its data; all else of it is sound.
    Sealed,
}

impl From<&'static str> for Fault {
    fn from(detail: &'static str) -> Self {
        Self::Damaged(detail)
    }
}

/// What the index keeps of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) event: Key,
    pub(crate) stream: Key,
    pub(crate) revision: Revision,
    pub(crate) fingerprint: Fingerprint,
}

/// Appends `draft` as a record without a revision; data of `compress_from` bytes and more is compressed.
pub(crate) fn encode(draft: &Draft, compress_from: usize, out: &mut Vec<u8>) -> Result<(), LogError> {
    let start = out.len();
    let optional = [&draft.subject, &draft.actor, &draft.causation, &draft.correlation, &draft.traceparent];
    let present = optional.iter().enumerate().fold(0, |bits, (bit, text)| bits | u8::from(text.is_some()) << bit);
    let data = draft.data.get().as_bytes();
    let texts: usize = optional.iter().filter_map(|text| text.as_ref()).map(String::len).sum();
    if data.len() + texts > MAX_DATA_BYTES {
        return Err(LogError::TooLarge { what: "an event", bytes: data.len() + texts, limit: MAX_DATA_BYTES });
    }
    out.put_u32(0);
    out.push(0);
    out.push(present);
    out.put_u64(0);
    out.put_i64(draft.time.micros());
    out.put(&draft.fingerprint.0);
    for name in [draft.workspace.as_str(), draft.source.as_str(), draft.id.as_str(), draft.kind.as_str()] {
        out.put_short(name.as_bytes());
    }
    out.put_short(draft.stream.as_str().as_bytes());
    for text in optional.into_iter().flatten() {
        out.put_long(text.as_bytes());
    }
    if data.len() >= compress_from && compress(data, out) {
        out[start + 4] = ZSTD;
    } else {
        out.put(data);
    }
    let size = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&size.to_le_bytes());
    Ok(())
}

/// Appends the raw size and the compressed data, unless that saves less than an eighth.
fn compress(data: &[u8], out: &mut Vec<u8>) -> bool {
    let compressed = COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Compressor::new(1).ok();
        }
        slot.as_mut()?.compress(data).ok()
    });
    match compressed {
        Some(compressed) if compressed.len() < data.len() - data.len() / 8 => {
            out.put_u32(data.len() as u32);
            out.put(&compressed);
            true
        }
        _ => false,
    }
}

/// Sets the revision of the record that starts at `record`.
pub(crate) fn set_revision(record: &mut [u8], revision: Revision) {
    record[REVISION_AT..REVISION_AT + 8].copy_from_slice(&revision.get().to_le_bytes());
}

/// Takes one record, without its size, off the front of a frame's payload.
pub(crate) fn next<'a>(payload: &mut Cursor<'a>) -> Result<&'a [u8], &'static str> {
    payload.long().ok_or("a record is longer than its frame")
}

/// Reads what the index needs of a record.
pub(crate) fn entry(record: &[u8]) -> Result<Entry, &'static str> {
    let fixed = Fixed::read(record)?;
    let [workspace, source, id, _, stream] = fixed.names;
    let names = (name(workspace)?, name(source)?, name(id)?, name(stream)?);
    Ok(Entry {
        event: Key::event(&names.0, &names.1, &names.2),
        stream: Key::stream(&names.0, &names.3),
        revision: fixed.revision,
        fingerprint: fixed.fingerprint,
    })
}

/// Reads a whole record.
pub(crate) fn decode(record: &[u8], position: Position, recorded_at: Timestamp) -> Result<Recorded, Fault> {
    let fixed = Fixed::read(record)?;
    let [workspace, source, id, kind, stream] = fixed.names;
    let mut rest = fixed.rest;
    let mut optional = |bit: u8| match fixed.present >> bit & 1 {
        0 => Ok(None),
        _ => text(rest.long().ok_or(SHORT)?).map(Some),
    };
    let (subject, actor, causation) = (optional(0)?, optional(1)?, optional(2)?);
    let (correlation, traceparent) = (optional(3)?, optional(4)?);
    Ok(Recorded {
        position,
        stream_revision: fixed.revision,
        recorded_at,
        workspace: name(workspace)?,
        source: name(source)?,
        id: name(id)?,
        kind: name(kind)?,
        subject,
        stream: name(stream)?,
        time: fixed.time,
        actor,
        causation,
        correlation,
        traceparent,
        data: data(fixed.flags, rest)?,
    })
}

const SHORT: &str = "a record is shorter than its fields";

/// The fields that every record has.
struct Fixed<'a> {
    flags: u8,
    present: u8,
    revision: Revision,
    time: Timestamp,
    fingerprint: Fingerprint,
    names: [&'a [u8]; 5],
    rest: Cursor<'a>,
}

impl<'a> Fixed<'a> {
    fn read(record: &'a [u8]) -> Result<Self, &'static str> {
        let mut rest = Cursor(record);
        let flags = rest.u8().ok_or(SHORT)?;
        let present = rest.u8().ok_or(SHORT)?;
        let revision = Revision::new(rest.u64().ok_or(SHORT)?).ok_or("a record has revision 0")?;
        let time = Timestamp::from_micros(rest.i64().ok_or(SHORT)?).ok_or("a record's time is out of range")?;
        let fingerprint = Fingerprint(rest.array().ok_or(SHORT)?);
        let mut names = [&record[..0]; 5];
        for name in &mut names {
            *name = rest.short().ok_or(SHORT)?;
        }
        Ok(Self { flags, present, revision, time, fingerprint, names, rest })
    }
}

fn data(flags: u8, mut stored: Cursor<'_>) -> Result<Payload, Fault> {
    let json = match flags {
        0 => text(stored.0)?,
        ZSTD => {
            let size = stored.u32().ok_or(SHORT)? as usize;
            if size > MAX_DATA_BYTES {
                return Err("a record's data is larger than any event".into());
            }
            let raw = decompress(stored.0, size).ok_or("a record's data does not decompress")?;
            String::from_utf8(raw).map_err(|_| NOT_UTF8)?
        }
        sealed if sealed & !ZSTD == SEALED => return Err(Fault::Sealed),
        _ => return Err("a record has unknown flags".into()),
    };
    // The frame's checksum has been checked: it is what the writer was given.
    Ok(Payload::trusted(json))
}

fn decompress(compressed: &[u8], size: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Decompressor::new().ok();
        }
        slot.as_mut()?.decompress(compressed, size).ok().filter(|raw| raw.len() == size)
    })
}

const NOT_UTF8: &str = "a record's text is not UTF-8";

fn text(bytes: &[u8]) -> Result<String, &'static str> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| NOT_UTF8)
}

/// Wraps a name without checking it again: it was checked before it was stored.
fn name<'de, T: Deserialize<'de>>(bytes: &[u8]) -> Result<T, &'static str> {
    let text: StringDeserializer<NameError> = text(bytes)?.into_deserializer();
    T::deserialize(text).map_err(|_| "a record's name cannot be read")
}

//! The door for fuzzers: arbitrary bytes as a frame are refused, and never more than that.

use partitura_event::{Position, Timestamp};

use crate::cursor::Cursor;
use crate::frame::{HEADER_BYTES, Header};
use crate::{answer, record};

/// Reads `bytes` as one frame, without asking for its checksums.
pub fn frame(bytes: &[u8]) {
    let Some((head, payload)) = bytes.split_at_checked(HEADER_BYTES) else { return };
    // A wrong checksum hides the fields behind it, so they are checked with a right one too.
    let mut repaired = head.to_vec();
    repaired[..4].copy_from_slice(b"PFRM");
    let crc = crc32c::crc32c(&repaired[8..]);
    repaired[4..8].copy_from_slice(&crc.to_le_bytes());
    for head in [head, &repaired] {
        if let Ok(header) = Header::decode(head) {
            let _ = (header.stride(), header.last(), header.check_payload(payload));
        }
    }
    records(payload);
}

/// Reads `bytes` as records and as request records.
fn records(bytes: &[u8]) {
    let mut rest = Cursor(bytes);
    while let Ok(record) = record::next(&mut rest) {
        let _ = record::entry(record);
        let _ = record::decode(record, Position::FIRST, Timestamp::MIN);
    }
    let mut rest = Cursor(bytes);
    while let Some((_, stored)) = answer::next(&mut rest) {
        let _ = answer::Answer::from_bytes(stored);
    }
    let _ = answer::Answer::from_bytes(bytes);
}

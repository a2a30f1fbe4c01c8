//! The frames of an Arrow stream, checked before the reader allocates: places inside the body, and
//! no more bytes after decompression than a batch may have.

use arrow::ipc::{MessageHeader, RecordBatch, root_as_message};
use partitura_event::{ErrorClass, Problem};

use super::malformed;

/// Marks a message with a 4-byte length.
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// Walks all messages of the stream, whose buffers may have `bytes_max` together. Allocates nothing.
pub(super) fn check(body: &[u8], bytes_max: usize) -> Result<(), Problem> {
    let mut at = 0;
    let mut inflated = 0_usize;
    while let Some(head) = body.get(at..at + 8) {
        if head[..4] != CONTINUATION {
            return Err(malformed(&"a message does not start with the continuation marker"));
        }
        let length = i32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let length = usize::try_from(length).map_err(|_| malformed(&"a negative length"))?;
        if length == 0 {
            return Ok(());
        }
        at += 8;
        let meta = body.get(at..at + length).ok_or_else(|| malformed(&"it ends inside a message"))?;
        let message = root_as_message(meta).map_err(|error| malformed(&error))?;
        at += length;
        let size = usize::try_from(message.bodyLength()).map_err(|_| malformed(&"a negative length"))?;
        let end = at.checked_add(size).ok_or_else(|| malformed(&"a length overflows"))?;
        let part = body.get(at..end).ok_or_else(|| malformed(&"it ends inside a message"))?;
        let batch = match message.header_type() {
            MessageHeader::Schema => None,
            MessageHeader::RecordBatch => message.header_as_record_batch(),
            MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|batch| batch.data()),
            _ => return Err(malformed(&"a message that is neither schema, dictionary nor record batch")),
        };
        if let Some(batch) = batch {
            inflated = inflated.saturating_add(buffers(&batch, part)?);
        }
        if inflated > bytes_max {
            let detail = format!("the Arrow stream inflates to more than {bytes_max} bytes");
            return Err(Problem::new(ErrorClass::TooLarge, detail).hint("send the events in several requests"));
        }
        at = end;
    }
    match at == body.len() {
        true => Ok(()),
        false => Err(malformed(&"it ends inside a message")),
    }
}

/// Returns how many bytes the buffers of a batch have after decompression.
fn buffers(batch: &RecordBatch<'_>, part: &[u8]) -> Result<usize, Problem> {
    if batch.length() < 0 || batch.nodes().is_some_and(|nodes| nodes.iter().any(|node| node.length() < 0)) {
        return Err(malformed(&"a negative number of rows"));
    }
    let compressed = batch.compression().is_some();
    let mut total = 0_usize;
    for buffer in batch.buffers().iter().flatten() {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let bytes = range.and_then(|(offset, length)| part.get(offset..offset.checked_add(length)?));
        let bytes = bytes.ok_or_else(|| malformed(&"a buffer lies outside of its message"))?;
        let size = match bytes.first_chunk::<8>() {
            Some(prefix) if compressed => match i64::from_le_bytes(*prefix) {
                -1 => bytes.len(),
                size => usize::try_from(size).map_err(|_| malformed(&"a negative length"))?,
            },
            _ => bytes.len(),
        };
        total = total.saturating_add(size);
    }
    Ok(total)
}

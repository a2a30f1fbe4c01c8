//! Flight data back into the bytes of an Arrow IPC stream, which the service reads as carefully as any body.

use std::time::Duration;

use arrow::ipc::{MessageHeader, root_as_message};
use arrow_flight::FlightData;
use futures::{Stream, StreamExt};
use partitura_event::{ErrorClass, Problem};
use tonic::Status;

use crate::refused;
use crate::status::{OrStatus, status};

const CONTINUATION: [u8; 4] = [0xFF; 4];
const ALIGNMENT: usize = 8;

/// What a piece of Flight data holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only a descriptor or metadata.
    Nothing,
    /// The columns.
    Schema,
    /// Words that later rows refer to.
    Dictionary,
    /// Rows.
    Rows,
}

/// Returns what `data` holds.
pub fn kind(data: &FlightData) -> Result<Kind, Problem> {
    if data.data_header.is_empty() {
        return Ok(Kind::Nothing);
    }
    let message = root_as_message(&data.data_header).map_err(|error| refused::malformed(&error.to_string()))?;
    match message.header_type() {
        MessageHeader::Schema => Ok(Kind::Schema),
        MessageHeader::DictionaryBatch => Ok(Kind::Dictionary),
        MessageHeader::RecordBatch => Ok(Kind::Rows),
        _ => Err(refused::malformed("it is neither schema, dictionary nor record batch")),
    }
}

/// Appends the message of `data` to an IPC stream.
pub fn append(stream: &mut Vec<u8>, data: &FlightData) -> Result<(), Problem> {
    let padded = data.data_header.len().next_multiple_of(ALIGNMENT);
    let length = i32::try_from(padded).map_err(|_| refused::malformed("its header is too long"))?;
    stream.extend_from_slice(&CONTINUATION);
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&data.data_header);
    stream.resize(stream.len() + padded - data.data_header.len(), 0);
    stream.extend_from_slice(&data.data_body);
    Ok(())
}

/// Waits for the next piece, but not longer than `pause`.
pub async fn next<S>(stream: &mut S, pause: Duration) -> Result<Option<FlightData>, Status>
where
    S: Stream<Item = Result<FlightData, Status>> + Unpin,
{
    match tokio::time::timeout(pause, stream.next()).await {
        Ok(Some(data)) => data.map(Some),
        Ok(None) => Ok(None),
        Err(_) => {
            let detail = format!("the rows stopped coming for {} s", pause.as_secs_f64());
            let problem = Problem::new(ErrorClass::Malformed, detail).code("body_stalled");
            Err(status(&problem.hint("send them again, in smaller batches")))
        }
    }
}

/// Collects a short stream of at most `bytes_max`.
pub async fn collect<S>(stream: &mut S, bytes_max: u64, pause: Duration) -> Result<Vec<u8>, Status>
where
    S: Stream<Item = Result<FlightData, Status>> + Unpin,
{
    let mut all = Vec::new();
    while let Some(data) = next(stream, pause).await? {
        if kind(&data).or_status()? != Kind::Nothing {
            append(&mut all, &data).or_status()?;
        }
        if all.len() as u64 > bytes_max {
            let detail = format!("the bound values have more than {bytes_max} bytes");
            return Err(status(&Problem::new(ErrorClass::TooLarge, detail).code("body_too_large")));
        }
    }
    Ok(all)
}

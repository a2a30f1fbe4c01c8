//! Arrow streams of other protocols: read as carefully as events are, and cut into bodies of an append's size.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use partitura_event::{ErrorClass, Problem};

use super::{frame, guarded};

/// Reads the batches of an Arrow IPC stream whose buffers have at most `bytes_max` together.
pub fn batches(body: &[u8], bytes_max: usize) -> Result<Vec<RecordBatch>, Problem> {
    frame::check(body, bytes_max)?;
    let mut reader = guarded(|| StreamReader::try_new(Cursor::new(body), None))?;
    let mut all = Vec::new();
    while let Some(batch) = guarded(|| reader.next().transpose())? {
        all.push(batch);
    }
    Ok(all)
}

/// Writes a batch as Arrow IPC streams of at most `rows_max` rows each, in order.
pub fn split(batch: &RecordBatch, rows_max: usize) -> Result<Vec<Vec<u8>>, Problem> {
    let rows_max = rows_max.max(1);
    let starts = (0..batch.num_rows()).step_by(rows_max);
    starts
        .map(|start| written(&batch.slice(start, rows_max.min(batch.num_rows() - start))))
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("a batch cannot be written: {error}")))
}

fn written(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    writer.into_inner()
}

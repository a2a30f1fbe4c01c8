//! Arrow IPC stream.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::record_batch::RecordBatch;

use super::Encoder;
use super::parquet::Buffer;
use crate::stream::SqlStats;

/// Writes an Arrow IPC stream, a message per batch.
#[derive(Default)]
pub(super) struct ArrowStream {
    buffer: Buffer,
    writer: Option<StreamWriter<Buffer>>,
}

impl Encoder for ArrowStream {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.writer = Some(StreamWriter::try_new(self.buffer.clone(), schema)?);
        self.buffer.drain_into(out);
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if let Some(writer) = &mut self.writer {
            writer.write(batch)?;
        }
        self.buffer.drain_into(out);
        Ok(())
    }

    fn end(&mut self, _: &SqlStats, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if let Some(mut writer) = self.writer.take() {
            writer.finish()?;
        }
        self.buffer.drain_into(out);
        Ok(())
    }
}

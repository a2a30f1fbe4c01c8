//! One Parquet file, row group by row group.

use std::io::{self, Write};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::Encoder;
use crate::stream::SqlStats;

/// Rows per row group: what a writer holds in memory.
const ROW_GROUP_ROWS: usize = 131_072;

/// Bytes that a writer has written and nobody has taken yet.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    /// Moves what was written to `out`.
    pub fn drain_into(&self, out: &mut Vec<u8>) {
        out.append(&mut self.0.lock());
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a Parquet file with zstd.
#[derive(Default)]
pub(super) struct Parquet {
    buffer: Buffer,
    writer: Option<ArrowWriter<Buffer>>,
}

impl Encoder for Parquet {
    fn begin(&mut self, schema: &SchemaRef, _: &mut Vec<u8>) -> Result<(), ArrowError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_created_by("partitura".to_owned())
            .build();
        self.writer = Some(ArrowWriter::try_new(self.buffer.clone(), schema.clone(), Some(properties))?);
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
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        self.buffer.drain_into(out);
        Ok(())
    }
}

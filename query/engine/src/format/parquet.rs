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

/// Rows per row group, when nothing else is asked for.
const ROW_GROUP_ROWS: usize = 131_072;
/// Bytes per row group: what a writer holds in memory, where rows are wide.
const ROW_GROUP_BYTES: usize = 64 << 20;

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
pub(super) struct Parquet {
    row_group_rows: usize,
    buffer: Buffer,
    writer: Option<ArrowWriter<Buffer>>,
}

impl Parquet {
    /// Makes one with row groups of at most this many rows.
    pub fn new(row_group_rows: Option<usize>) -> Self {
        let row_group_rows = row_group_rows.unwrap_or(ROW_GROUP_ROWS).max(1);
        Self { row_group_rows, buffer: Buffer::default(), writer: None }
    }
}

impl Encoder for Parquet {
    fn begin(&mut self, schema: &SchemaRef, _: &mut Vec<u8>) -> Result<(), ArrowError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(self.row_group_rows))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
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

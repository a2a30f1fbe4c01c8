//! How columns lie in Lance files.
//!
//! Left to itself, Lance packs short texts into chunks of 4 KiB and compresses long ones each by itself. Both
//! are bad for texts that resemble each other, and slow: so texts lie in larger chunks, compressed as a whole.
//! States of folds are read one at a time, so their chunks are small.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use partitura_event::Problem;

use crate::fault;

// Lance's names of what a field's metadata may ask for.
const COMPRESSION: &str = "lance-encoding:compression";
const COMPRESSION_LEVEL: &str = "lance-encoding:compression-level";
const STRUCTURE: &str = "lance-encoding:structural-encoding";
const CHUNK_BYTES: &str = "lance-encoding:minichunk-size";

/// Bytes of a chunk of texts before compression.
const TEXT_CHUNK: usize = 64 << 10;

/// Bytes of a chunk of fold states before compression.
const STATE_CHUNK: usize = 8 << 10;

/// Marks the columns of text, bytes and money for compression.
pub(crate) fn marked(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Problem> {
    let Some(first) = batches.first() else { return Ok(batches) };
    let mark = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_metadata(zstd(TEXT_CHUNK))),
        DataType::Binary => Arc::new(field.as_ref().clone().with_metadata(zstd(STATE_CHUNK))),
        // Sixteen bytes each, of which few are not zero; Lance packs bits of narrower numbers only.
        DataType::Decimal128(..) => Arc::new(field.as_ref().clone().with_metadata(compression())),
        _ => field.clone(),
    };
    let schema = Arc::new(Schema::new(first.schema().fields().iter().map(mark).collect::<Vec<_>>()));
    let marked = batches.into_iter().map(|batch| batch.with_schema(schema.clone()));
    marked.collect::<Result<_, _>>().map_err(|error| fault::internal("rows cannot be marked", error))
}

fn zstd(chunk: usize) -> HashMap<String, String> {
    let mut asked = compression();
    asked.insert(STRUCTURE.to_owned(), "miniblock".to_owned());
    asked.insert(CHUNK_BYTES.to_owned(), chunk.to_string());
    asked
}

fn compression() -> HashMap<String, String> {
    [(COMPRESSION, "zstd"), (COMPRESSION_LEVEL, "1")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

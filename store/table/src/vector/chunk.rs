//! One chunk with its vector, and the Arrow rows that keep it.

use std::sync::Arc;

use arrow::array::{
    AsArray, FixedSizeBinaryArray, FixedSizeListArray, Float32Array, RecordBatch, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Float32Type, Schema, SchemaRef, UInt32Type, UInt64Type};
use arrow::error::ArrowError;

/// The first 16 bytes of the BLAKE3 hash of what the model read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextHash(pub [u8; 16]);

impl TextHash {
    /// Hashes a text.
    pub fn of(text: &str) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        Self(first)
    }
}

/// One chunk of one version of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkVector {
    /// Version of the document.
    pub version: u64,
    /// Number of the chunk in the document, from 0.
    pub ordinal: u32,
    /// First byte of the document's text.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// Of what the model read.
    pub hash: TextHash,
    /// Of unit length.
    pub vector: Vec<f32>,
}

pub(super) const VECTOR: &str = "vector";

/// Returns the schema for vectors of length `dims`.
pub(super) fn schema(dims: usize) -> SchemaRef {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Arc::new(Schema::new(vec![
        Field::new("version", DataType::UInt64, false),
        Field::new("ordinal", DataType::UInt32, false),
        Field::new("start", DataType::UInt32, false),
        Field::new("end", DataType::UInt32, false),
        Field::new("hash", DataType::FixedSizeBinary(16), false),
        Field::new(VECTOR, DataType::FixedSizeList(item, dims as i32), false),
    ]))
}

/// Returns the rows of `chunks`.
pub(super) fn encode(chunks: &[ChunkVector], dims: usize) -> Result<RecordBatch, ArrowError> {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let numbers = Float32Array::from_iter_values(chunks.iter().flat_map(|chunk| chunk.vector.iter().copied()));
    let hashes = chunks.iter().map(|chunk| chunk.hash.0);
    RecordBatch::try_new(
        schema(dims),
        vec![
            Arc::new(UInt64Array::from_iter_values(chunks.iter().map(|chunk| chunk.version))),
            Arc::new(UInt32Array::from_iter_values(chunks.iter().map(|chunk| chunk.ordinal))),
            Arc::new(UInt32Array::from_iter_values(chunks.iter().map(|chunk| chunk.start))),
            Arc::new(UInt32Array::from_iter_values(chunks.iter().map(|chunk| chunk.end))),
            Arc::new(FixedSizeBinaryArray::try_from_iter(hashes)?),
            Arc::new(FixedSizeListArray::try_new(item, dims as i32, Arc::new(numbers), None)?),
        ],
    )
}

/// Calls `each` with the chunks of a batch, in order.
pub(super) fn decode(batch: &RecordBatch, mut each: impl FnMut(ChunkVector)) -> Result<(), ArrowError> {
    let column = |name: &str| {
        batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("the rows lack column {name}")))
    };
    let number = |name: &str| Ok::<_, ArrowError>(column(name)?.as_primitive::<UInt32Type>().clone());
    let versions = column("version")?.as_primitive::<UInt64Type>();
    let (ordinals, starts, ends) = (number("ordinal")?, number("start")?, number("end")?);
    let hashes = column("hash")?.as_fixed_size_binary();
    let vectors = column(VECTOR)?.as_fixed_size_list();
    for row in 0..batch.num_rows() {
        let mut hash = [0; 16];
        hash.copy_from_slice(hashes.value(row));
        each(ChunkVector {
            version: versions.value(row),
            ordinal: ordinals.value(row),
            start: starts.value(row),
            end: ends.value(row),
            hash: TextHash(hash),
            vector: vectors.value(row).as_primitive::<Float32Type>().values().to_vec(),
        });
    }
    Ok(())
}

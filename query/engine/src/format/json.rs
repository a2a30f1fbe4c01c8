//! JSON: an array of objects, or one object per line.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::Encoder;
use super::cell::{Cells, names};
use crate::stream::SqlStats;

/// Writes rows as JSON objects.
#[derive(Default)]
pub(super) struct Objects {
    /// `"name":` of each column.
    keys: Vec<Vec<u8>>,
}

impl Objects {
    pub fn begin(&mut self, schema: &SchemaRef) -> Result<(), ArrowError> {
        for name in names(schema) {
            let mut key = serde_json::to_vec(&name).map_err(|error| ArrowError::JsonError(error.to_string()))?;
            key.push(b':');
            self.keys.push(key);
        }
        Ok(())
    }

    /// Writes each row, with `between` before it where `is_next` says that one came before.
    pub fn rows(
        &self,
        batch: &RecordBatch,
        between: &[u8],
        mut is_next: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            if is_next {
                out.extend_from_slice(between);
            }
            is_next = true;
            out.push(b'{');
            for (index, (key, cells)) in self.keys.iter().zip(&columns).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(key);
                cells.json(row, out)?;
            }
            out.push(b'}');
        }
        Ok(())
    }
}

/// `[{…},{…}]`, one row per line.
#[derive(Default)]
pub(super) struct JsonArray {
    objects: Objects,
    any: bool,
}

impl Encoder for JsonArray {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        out.push(b'[');
        self.objects.begin(schema)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.objects.rows(batch, b",\n", self.any, out)?;
        self.any |= batch.num_rows() > 0;
        Ok(())
    }

    fn end(&mut self, _: &SqlStats, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        out.extend_from_slice(b"]\n");
        Ok(())
    }
}

/// `{…}` per line.
#[derive(Default)]
pub(super) struct JsonLines {
    objects: Objects,
    any: bool,
}

impl Encoder for JsonLines {
    fn begin(&mut self, schema: &SchemaRef, _: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.objects.begin(schema)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.objects.rows(batch, b"\n", self.any, out)?;
        self.any |= batch.num_rows() > 0;
        Ok(())
    }

    fn end(&mut self, _: &SqlStats, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if self.any {
            out.push(b'\n');
        }
        Ok(())
    }
}

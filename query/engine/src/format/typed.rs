//! `{schema, data, row_count, truncated, stats}`: JSON that says its types and its numbers.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::json;

use super::Encoder;
use super::cell::names;
use super::json::Objects;
use crate::describe::type_name;
use crate::stream::SqlStats;

/// Writes `data` as an array of objects.
#[derive(Default)]
pub(super) struct Typed {
    objects: Objects,
    any: bool,
}

impl Encoder for Typed {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let columns: Vec<_> = names(schema)
            .into_iter()
            .zip(schema.fields())
            .map(|(name, field)| {
                json!({"name": name, "type": type_name(field.data_type()), "nullable": field.is_nullable()})
            })
            .collect();
        out.extend_from_slice(b"{\"schema\":");
        out.extend_from_slice(json!(columns).to_string().as_bytes());
        out.extend_from_slice(b",\"data\":[");
        self.objects.begin(schema)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.objects.rows(batch, b",\n", self.any, out)?;
        self.any |= batch.num_rows() > 0;
        Ok(())
    }

    fn end(&mut self, stats: &SqlStats, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let (rows, truncated, stats) = (stats.rows, stats.truncated, json!(stats));
        let tail = format!("],\"row_count\":{rows},\"truncated\":{truncated},\"stats\":{stats}}}\n");
        out.extend_from_slice(tail.as_bytes());
        Ok(())
    }
}

//! CSV as RFC 4180 has it: a header, CRLF-free lines, quotes where needed, null as an empty field.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::Encoder;
use super::cell::{Cells, names};
use crate::stream::SqlStats;

/// Writes CSV. An empty text is `""`, so that it differs from null.
pub(super) struct Csv;

impl Encoder for Csv {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        for (index, name) in names(schema).iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            field(name.as_bytes(), out);
        }
        out.push(b'\n');
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        let mut text = Vec::new();
        for row in 0..batch.num_rows() {
            for (index, cells) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if !cells.is_null(row) {
                    text.clear();
                    cells.text(row, &mut text)?;
                    field(&text, out);
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn end(&mut self, _: &SqlStats, _: &mut Vec<u8>) -> Result<(), ArrowError> {
        Ok(())
    }
}

fn field(text: &[u8], out: &mut Vec<u8>) {
    let plain = !text.is_empty()
        && !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        && !text.starts_with(b" ")
        && !text.ends_with(b" ");
    if plain {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

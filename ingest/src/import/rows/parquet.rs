//! Parquet: read in batches, each row as an object.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field};
use arrow::json::writer::{EncoderOptions, make_encoder};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use partitura_event::{ErrorClass, Problem};

use super::BadRow;
use super::lines::ROW;
use crate::json::{self, Node};

/// Rows that are decoded at once.
const BATCH: usize = 1_024;

type Item = Result<(u64, Node<'static>), BadRow>;

pub(super) fn rows(file: File, read: Arc<AtomicU64>, bytes: u64) -> Result<impl Iterator<Item = Item> + Send, Problem> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| malformed(&error))?;
    let total = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0).max(1);
    let mut reader = builder.with_batch_size(BATCH).build().map_err(|error| malformed(&error))?;
    let mut number = 0_u64;
    let mut ready: std::vec::IntoIter<Item> = Vec::new().into_iter();
    Ok(std::iter::from_fn(move || {
        loop {
            if let Some(item) = ready.next() {
                return Some(item);
            }
            let batch = match reader.next()? {
                Ok(batch) => objects(&batch, number),
                Err(error) => vec![Err(bad(number + 1, malformed(&error)))],
            };
            number += batch.len() as u64;
            let share = u128::from(bytes) * u128::from(number) / u128::from(total);
            read.store(u64::try_from(share).unwrap_or(bytes).min(bytes), Ordering::Relaxed);
            ready = batch.into_iter();
        }
    }))
}

fn objects(batch: &RecordBatch, before: u64) -> Vec<Item> {
    let array: ArrayRef = Arc::new(StructArray::from(batch.clone()));
    let field = Arc::new(Field::new("row", DataType::Struct(batch.schema().fields().clone()), false));
    let options = EncoderOptions::default();
    let mut encoder = match make_encoder(&field, &array, &options) {
        Ok(encoder) => encoder,
        Err(error) => return vec![Err(bad(before + 1, malformed(&error)))],
    };
    let row = |n: usize| {
        let number = before + n as u64 + 1;
        let mut text = Vec::new();
        encoder.encode(n, &mut text);
        let text = String::from_utf8(text).map_err(|error| bad(number, malformed(&error)))?;
        let node = json::parse(&text, &ROW).map_err(|fault| bad(number, fault.problem(&text, 0, "")))?;
        Ok((number, node.into_owned()))
    };
    (0..array.len()).map(row).collect()
}

fn bad(number: u64, problem: Problem) -> BadRow {
    BadRow { number, problem, raw: String::new() }
}

fn malformed(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("this is not Parquet that can be read: {error:.200}"))
}

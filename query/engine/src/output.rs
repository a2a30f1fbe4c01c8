//! From the plan's batches to answered ones: plain types, even batches, cut at the limits.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, PrimitiveBuilder, StringArray,
    downcast_primitive_array,
};
use datafusion::arrow::compute::{BatchCoalescer, cast};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::request::SqlLimits;

/// Rows of every answered batch but the last, so that bytes do not depend on how rows lay on disk.
pub const BATCH_ROWS: usize = 8_192;

/// Returns the schema of the answer: no dictionaries, no views, instants in UTC, no metadata.
pub(crate) fn plain_schema(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(|field| plain_field(field)).collect();
    Arc::new(Schema::new(fields))
}

fn plain_field(field: &Field) -> Arc<Field> {
    Arc::new(Field::new(field.name(), plain_type(field.data_type()), field.is_nullable()))
}

fn plain_type(ty: &DataType) -> DataType {
    match ty {
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(micros(*unit), Some("UTC".into())),
        DataType::Timestamp(unit, None) => DataType::Timestamp(micros(*unit), None),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => {
            DataType::List(plain_field(item))
        }
        DataType::FixedSizeList(item, n) => DataType::FixedSizeList(plain_field(item), *n),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| plain_field(field)).collect()),
        other => other.clone(),
    }
}

/// Literals and `to_timestamp` make nanoseconds; tables hold microseconds: answers hold one of them.
const fn micros(unit: TimeUnit) -> TimeUnit {
    match unit {
        TimeUnit::Nanosecond => TimeUnit::Microsecond,
        other => other,
    }
}

/// Makes answered batches.
pub(crate) struct Output {
    schema: SchemaRef,
    coalescer: BatchCoalescer,
    rows_left: usize,
    bytes_left: usize,
    truncated: bool,
}

impl Output {
    pub fn new(schema: SchemaRef, limits: &SqlLimits) -> Self {
        let coalescer = BatchCoalescer::new(schema.clone(), BATCH_ROWS);
        Self { schema, coalescer, rows_left: limits.rows, bytes_left: limits.bytes, truncated: false }
    }

    /// Takes a batch of the plan; what is ready is given by [`Output::next`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| match column.data_type() == field.data_type() {
                true => Ok(canonical(column)),
                false => cast(column, field.data_type()).map(|column| canonical(&column)),
            })
            .collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let mut plain = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        if plain.num_rows() > self.rows_left {
            plain = plain.slice(0, self.rows_left);
            self.truncated = true;
        }
        self.rows_left -= plain.num_rows();
        let bytes = size_of(&plain)?;
        if bytes > self.bytes_left {
            let share = self.bytes_left as f64 / bytes as f64;
            plain = plain.slice(0, (plain.num_rows() as f64 * share) as usize);
            self.truncated = true;
            self.bytes_left = 0;
        } else {
            self.bytes_left -= bytes;
        }
        self.coalescer.push_batch(plain)
    }

    /// Ends the answer; the rest is given by [`Output::next`].
    pub fn finish(&mut self) -> Result<(), ArrowError> {
        self.coalescer.finish_buffered_batch()
    }

    /// Returns the next full batch.
    pub fn next(&mut self) -> Option<RecordBatch> {
        self.coalescer.next_completed_batch()
    }

    /// Returns whether rows were left out, so that nothing more is wanted.
    pub const fn truncated(&self) -> bool {
        self.truncated
    }
}

/// Returns the bytes of the rows of a batch, without what its arrays share with others.
pub(crate) fn size_of(batch: &RecordBatch) -> Result<usize, ArrowError> {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size()).sum()
}

/// Returns the column with nothing under its nulls: what lies there is left over from how it was computed,
/// and would make the bytes of an Arrow answer differ.
fn canonical(column: &ArrayRef) -> ArrayRef {
    if column.null_count() == 0 {
        return column.clone();
    }
    downcast_primitive_array!(
        column => with_zeros(column),
        DataType::Boolean => Arc::new(column.as_boolean().iter().collect::<BooleanArray>()),
        DataType::Utf8 => Arc::new(column.as_string::<i32>().iter().collect::<StringArray>()),
        _ => column.clone(),
    )
}

fn with_zeros<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>) -> ArrayRef {
    let mut values = PrimitiveBuilder::<T>::with_capacity(column.len()).with_data_type(column.data_type().clone());
    column.iter().for_each(|value| values.append_option(value));
    Arc::new(values.finish())
}

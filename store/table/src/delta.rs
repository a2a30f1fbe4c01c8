//! [`Delta`]: rows that the projector adds to one table, and how they are brought into shape.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::SchemaRef;
use partitura_event::{ErrorClass, Position, Problem};

use crate::row_id::RowIds;
use crate::schema::TableSpec;

/// Rows of one table, with the hidden columns: [`TableSpec::delta_schema`]. The order of the columns
/// is free, and so is that of the rows.
#[derive(Clone, Debug)]
pub struct Delta {
    /// Name of the table.
    pub table: &'static str,
    /// Rows, or versions of rows for a keyed table.
    pub batch: RecordBatch,
}

/// Brings rows into the order of their ids.
///
/// Refuses rows that are not after `after` or are beyond `upto`, and two rows with one id.
pub(crate) fn order(
    spec: &TableSpec,
    batch: RecordBatch,
    after: Option<Position>,
    upto: Position,
) -> Result<RecordBatch, Problem> {
    let batch = sort(batch)?;
    let ids = RowIds::of(&batch)?;
    let mut before = None;
    for id in ids.iter() {
        if before.is_some_and(|before| before >= id) {
            return Err(wrong(spec, format!("two rows of position {} have the same _ord", id.pos())));
        }
        before = Some(id);
        let after = after.map_or(0, Position::get);
        if id.pos() <= after || id.pos() > upto.get() {
            return Err(wrong(spec, format!("_pos {} is not in ({after}, {upto}]", id.pos())));
        }
    }
    Ok(batch)
}

/// Brings rows into the columns of `schema`.
pub(crate) fn conform(spec: &TableSpec, schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, Problem> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let column = |field: &Arc<arrow::datatypes::Field>| {
        let column = batch.column_by_name(field.name());
        let column = column.ok_or_else(|| wrong(spec, format!("column {} is missing", field.name())))?;
        if column.data_type() == field.data_type() {
            return Ok(column.clone());
        }
        cast(column, field.data_type()).map_err(|error| wrong(spec, format!("column {}: {error}", field.name())))
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| wrong(spec, error.to_string()))
}

fn sort(batch: RecordBatch) -> Result<RecordBatch, Problem> {
    let ids = RowIds::of(&batch)?;
    if ids.iter().is_sorted() {
        return Ok(batch);
    }
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.sort_by_key(|row| ids.get(*row as usize));
    take_record_batch(&batch, &UInt32Array::from(order))
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("rows of a delta cannot be sorted: {error}")))
}

fn wrong(spec: &TableSpec, what: String) -> Problem {
    Problem::new(ErrorClass::Internal, format!("delta of table {}: {what}", spec.name))
}

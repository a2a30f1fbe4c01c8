//! Columns of the wire: their types, and rows of a batch as messages.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_pg::datatypes::into_pg_type;
use arrow_pg::encoder::encode_value;
use partitura_event::{ErrorClass, Problem};
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo};
use pgwire::error::PgWireError;
use pgwire::messages::data::{DataRow, FieldDescription, RowDescription};
use postgres_types::Type;

use crate::problem::protocol;

/// Returns the columns in types that the wire has; what Postgres has no type for is told as text.
pub fn plain(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> = schema.fields().iter().map(|field| plain_field(field)).collect();
    Arc::new(Schema::new(fields))
}

fn plain_field(field: &Field) -> Field {
    Field::new(field.name(), plain_type(field.data_type()), true)
}

fn plain_type(ty: &DataType) -> DataType {
    match ty {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if is_plain(item.data_type()) =>
        {
            DataType::List(Arc::clone(item))
        }
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Float16 => DataType::Float32,
        ty if is_plain(ty) => ty.clone(),
        _ => DataType::Utf8,
    }
}

const fn is_plain(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(..)
            | DataType::Utf8
            | DataType::Binary
            | DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Interval(_)
            | DataType::Duration(_)
    )
}

/// Returns a batch in the columns that [`plain`] made.
pub fn plain_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Problem> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        let (from, to) = (column.data_type(), field.data_type());
        match (from, to) {
            _ if from == to => Ok(Arc::clone(column)),
            (DataType::Null, _) => cast(column, to).map_err(|error| unwritable(&error)),
            (_, DataType::Utf8) => as_text(column),
            _ => cast(column, to).map_err(|error| unwritable(&error)),
        }
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_, _>>()?, &options)
        .map_err(|error| unwritable(&error))
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, Problem> {
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(column, &options).map_err(|error| unwritable(&error))?;
    let text = |row: usize| match column.is_null(row) {
        true => Ok(None),
        false => formatter.value(row).try_to_string().map(Some).map_err(|error| unwritable(&error)),
    };
    Ok(Arc::new((0..column.len()).map(text).collect::<Result<StringArray, Problem>>()?))
}

/// Returns the type of a column or parameter on the wire.
pub fn type_of(ty: &DataType) -> Type {
    into_pg_type(&plain_type(ty)).unwrap_or(Type::TEXT)
}

/// Makes the columns of an answer; `formats` are as a client bound them: none, one for all, or one for each.
pub fn fields(schema: &Schema, formats: &[i16]) -> Result<Arc<Vec<FieldInfo>>, Problem> {
    let count = schema.fields().len();
    if formats.len() > 1 && formats.len() != count {
        return Err(protocol(format!("{} formats are bound for {count} columns", formats.len())));
    }
    let format = |at: usize| FieldFormat::from(formats.get(at).or(formats.first()).copied().unwrap_or(0));
    let each = schema.fields().iter().enumerate().map(|(at, field)| {
        let ty = type_of(field.data_type());
        let modifier = match field.data_type() {
            DataType::Decimal128(precision, scale) => ((i32::from(*precision) << 16) | i32::from(*scale)) + 4,
            _ => -1,
        };
        let info = FieldInfo::new(field.name().clone(), None, None, ty.clone(), format(at));
        info.with_type_size(bytes_of(&ty)).with_type_modifier(modifier)
    });
    Ok(Arc::new(each.collect()))
}

fn bytes_of(ty: &Type) -> i16 {
    match *ty {
        Type::BOOL => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME => 8,
        Type::INTERVAL => 16,
        _ => -1,
    }
}

/// Describes them for a client.
pub fn description(fields: &[FieldInfo]) -> RowDescription {
    RowDescription::new(fields.iter().map(FieldDescription::from).collect())
}

/// Writes the rows of a batch.
pub struct Rows {
    batch: RecordBatch,
    fields: Arc<Vec<FieldInfo>>,
    encoder: DataRowEncoder,
}

impl Rows {
    /// Begins with the first row.
    pub fn new(batch: RecordBatch, fields: Arc<Vec<FieldInfo>>) -> Self {
        let encoder = DataRowEncoder::new(Arc::clone(&fields));
        Self { batch, fields, encoder }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Writes one row.
    pub fn row(&mut self, row: usize) -> Result<DataRow, Problem> {
        let schema = self.batch.schema();
        for ((column, field), info) in self.batch.columns().iter().zip(schema.fields()).zip(self.fields.iter()) {
            let written = match column.is_null(row) {
                // The library would read what lies under a null of some types.
                true => self.encoder.encode_field(&None::<i8>),
                false => encode_value(&mut self.encoder, column, row, field, info),
            };
            written.map_err(|error| unencodable(&error, field))?;
        }
        Ok(self.encoder.take_row())
    }
}

fn unencodable(error: &PgWireError, field: &Field) -> Problem {
    let detail = format!("the column `{}` cannot be written: {error}", field.name());
    let problem = Problem::new(ErrorClass::Invalid, detail).code("value_unwritable");
    problem.hint("cast it to text: a decimal may have 28 digits here")
}

fn unwritable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Internal, format!("rows cannot be written: {error}"))
}

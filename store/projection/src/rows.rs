//! [`Rows`]: rows of one table in the making, column by column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, ListBuilder, RecordBatch,
    StringBuilder, StructBuilder, TimestampMicrosecondBuilder, UInt8Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Fields};
use partitura_event::{ErrorClass, Position, Problem};
use partitura_table::Delta;
use partitura_table::schema::{Shape, TableSpec};

use crate::value::Value;

/// Cells of one row: number of the column and value. What is not listed is null.
pub type Cells<'a> = Vec<(u16, Value<'a>)>;

/// Rows of one table, in the order of their events. After an error they are of no use: start again.
pub struct Rows {
    spec: &'static TableSpec,
    columns: Vec<Column>,
    positions: Vec<u64>,
    ordinals: Vec<u8>,
    keys: StringBuilder,
    states: Vec<Option<Vec<u8>>>,
}

impl Rows {
    /// Starts without rows.
    pub fn new(spec: &'static TableSpec) -> Self {
        let columns = spec.columns.iter().map(|column| Column::new(&column.ty.delta_type())).collect();
        Self {
            spec,
            columns,
            positions: Vec::new(),
            ordinals: Vec::new(),
            keys: StringBuilder::new(),
            states: Vec::new(),
        }
    }

    /// Returns the table.
    pub const fn spec(&self) -> &'static TableSpec {
        self.spec
    }

    /// Adds a row of an append-only table.
    pub fn append(&mut self, position: Position, cells: &Cells<'_>) -> Result<(), Problem> {
        let ordinal = self.ordinal(position)?;
        self.write(position, ordinal, cells)
    }

    /// Adds a version of a keyed row, without a state. Returns the number of the row.
    pub fn version(&mut self, position: Position, key: &str, cells: &Cells<'_>) -> Result<usize, Problem> {
        let ordinal = self.ordinal(position)?;
        self.write(position, ordinal, cells)?;
        self.keys.append_value(key);
        self.states.push(None);
        Ok(self.states.len() - 1)
    }

    /// Sets the state of a row: of the last version of its key.
    pub fn set_state(&mut self, row: usize, state: Vec<u8>) {
        self.states[row] = Some(state);
    }

    fn ordinal(&self, position: Position) -> Result<u8, Problem> {
        if self.positions.last() != Some(&position.get()) {
            return Ok(0);
        }
        let next = self.ordinals.last().and_then(|ordinal| ordinal.checked_add(1));
        next.ok_or_else(|| self.defect(format!("the event at {position} makes more than 256 rows")))
    }

    fn write(&mut self, position: Position, ordinal: u8, cells: &Cells<'_>) -> Result<(), Problem> {
        let mut given = 0_u128;
        for (index, value) in cells {
            let index = usize::from(*index);
            let name = self.spec.columns[index].name;
            if given & (1 << index) != 0 {
                return Err(self.defect(format!("column {name} is given twice")));
            }
            given |= 1 << index;
            if !self.columns[index].push(value) {
                return Err(self.defect(format!("column {name} got a value of another type")));
            }
        }
        for (index, column) in self.columns.iter_mut().enumerate() {
            if given & (1 << index) == 0 {
                if !self.spec.columns[index].nullable {
                    let name = self.spec.columns[index].name;
                    return Err(self.defect(format!("the row of {position} has no {name}")));
                }
                column.push_null();
            }
        }
        self.positions.push(position.get());
        self.ordinals.push(ordinal);
        Ok(())
    }

    fn defect(&self, what: String) -> Problem {
        Problem::new(ErrorClass::Internal, format!("table {}: {what}", self.spec.name)).code("fold_defect")
    }

    /// Makes the delta, or nothing without rows.
    pub fn finish(mut self) -> Result<Option<Delta>, Problem> {
        if self.positions.is_empty() {
            return Ok(None);
        }
        let mut arrays: Vec<ArrayRef> = self.columns.into_iter().map(Column::finish).collect();
        arrays.push(Arc::new(finish_numbers(&self.positions)));
        arrays.push(Arc::new(finish_ordinals(&self.ordinals)));
        if self.spec.shape == Shape::Keyed {
            arrays.push(Arc::new(self.keys.finish()));
            let mut states = BinaryBuilder::new();
            self.states.iter().for_each(|state| states.append_option(state.as_deref()));
            arrays.push(Arc::new(states.finish()));
        }
        let batch = RecordBatch::try_new(self.spec.delta_schema(), arrays).map_err(|error| {
            Problem::new(ErrorClass::Internal, format!("rows of {} do not fit its schema: {error}", self.spec.name))
        })?;
        Ok(Some(Delta { table: self.spec.name, batch }))
    }
}

/// Checks that a row read from an event has what every row of the table has.
pub fn check_required(spec: &TableSpec, cells: &Cells<'_>) -> Result<(), Problem> {
    for (index, column) in spec.columns.iter().enumerate() {
        if !column.nullable && !cells.iter().any(|(cell, _)| usize::from(*cell) == index) {
            let detail = format!("the event has no `{}`, which every row of {} has", column.name, spec.name);
            return Err(Problem::invalid_field(&format!("data.{}", column.name), "missing", detail));
        }
    }
    Ok(())
}

fn finish_numbers(numbers: &[u64]) -> arrow::array::UInt64Array {
    let mut builder = UInt64Builder::with_capacity(numbers.len());
    builder.append_slice(numbers);
    builder.finish()
}

fn finish_ordinals(numbers: &[u8]) -> arrow::array::UInt8Array {
    let mut builder = UInt8Builder::with_capacity(numbers.len());
    builder.append_slice(numbers);
    builder.finish()
}

/// Builder of one column.
enum Column {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Money(Decimal128Builder),
    Texts(ListBuilder<StringBuilder>),
    Floats(ListBuilder<Float64Builder>),
    Structs(Fields, Box<ListBuilder<StructBuilder>>),
}

impl Column {
    fn new(ty: &DataType) -> Self {
        match ty {
            DataType::Int64 => Self::Int(Int64Builder::new()),
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Timestamp(..) => Self::Time(TimestampMicrosecondBuilder::new().with_data_type(ty.clone())),
            DataType::Decimal128(..) => Self::Money(Decimal128Builder::new().with_data_type(ty.clone())),
            DataType::List(item) => match item.data_type() {
                DataType::Float64 => Self::Floats(ListBuilder::new(Float64Builder::new()).with_field(item.clone())),
                DataType::Struct(fields) => {
                    let builder = ListBuilder::new(StructBuilder::from_fields(fields.clone(), 0));
                    Self::Structs(fields.clone(), Box::new(builder.with_field(item.clone())))
                }
                _ => Self::Texts(ListBuilder::new(StringBuilder::new()).with_field(item.clone())),
            },
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// Adds a value; `false` if it is of another type.
    fn push(&mut self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Int(builder), Value::Int(number)) => builder.append_value(*number),
            (Self::Float(builder), Value::Float(number)) => builder.append_value(*number),
            (Self::Bool(builder), Value::Bool(flag)) => builder.append_value(*flag),
            (Self::Time(builder), Value::Time(micros)) => builder.append_value(*micros),
            (Self::Money(builder), Value::Money(scaled)) => builder.append_value((*scaled).into()),
            (Self::Texts(builder), Value::Texts(texts)) => builder.append_value(texts.iter().map(Some)),
            (Self::Floats(builder), Value::Floats(numbers)) => {
                builder.append_value(numbers.iter().map(|number| Some(*number)));
            }
            (Self::Structs(fields, builder), Value::Structs(rows)) => {
                for row in rows {
                    push_struct(fields, builder.values(), row);
                }
                builder.append(true);
            }
            _ => return false,
        }
        true
    }

    fn push_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Bool(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Money(builder) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
            Self::Floats(builder) => builder.append_null(),
            Self::Structs(_, builder) => builder.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Int(mut builder) => Arc::new(builder.finish()),
            Self::Float(mut builder) => Arc::new(builder.finish()),
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
            Self::Money(mut builder) => Arc::new(builder.finish()),
            Self::Texts(mut builder) => Arc::new(builder.finish()),
            Self::Floats(mut builder) => Arc::new(builder.finish()),
            Self::Structs(_, mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// Adds one struct; a member of another type than its field is null.
fn push_struct(fields: &Fields, builder: &mut StructBuilder, row: &[Option<Value<'_>>]) {
    for (index, field) in fields.iter().enumerate() {
        let value = row.get(index).and_then(Option::as_ref);
        match field.data_type() {
            DataType::Int64 => {
                let number = if let Some(Value::Int(number)) = value { Some(*number) } else { None };
                builder.field_builder::<Int64Builder>(index).into_iter().for_each(|b| b.append_option(number));
            }
            DataType::Timestamp(..) => {
                let micros = value.and_then(Value::as_time);
                builder
                    .field_builder::<TimestampMicrosecondBuilder>(index)
                    .into_iter()
                    .for_each(|b| b.append_option(micros));
            }
            DataType::Decimal128(..) => {
                let scaled = if let Some(Value::Money(scaled)) = value { Some((*scaled).into()) } else { None };
                builder.field_builder::<Decimal128Builder>(index).into_iter().for_each(|b| b.append_option(scaled));
            }
            _ => {
                let text = value.and_then(Value::as_text);
                builder.field_builder::<StringBuilder>(index).into_iter().for_each(|b| b.append_option(text));
            }
        }
    }
    builder.append(true);
}

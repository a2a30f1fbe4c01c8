//! One cell as text or JSON.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray,
    StructArray, TimestampMicrosecondArray, UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Fields, Schema, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// A column that can be written cell by cell. Similar types share one variant.
pub(super) enum Cells {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    UInt(UInt64Array),
    Float(Float64Array),
    Decimal(Decimal128Array, i8),
    Text(StringArray),
    Binary(BinaryArray),
    Instant(TimestampMicrosecondArray, bool),
    List(Vec<Option<Cells>>, Vec<usize>),
    Struct(StructArray, Vec<(String, Cells)>),
    /// Shown as Arrow shows it: dates, times, intervals.
    Shown(ArrayRef),
}

impl Cells {
    /// Prepares a column.
    pub fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let to = |ty: DataType| cast(array, &ty);
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                Self::Int(to(DataType::Int64)?.as_primitive().clone())
            }
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
                Self::UInt(to(DataType::UInt64)?.as_primitive().clone())
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                Self::Float(to(DataType::Float64)?.as_primitive().clone())
            }
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive().clone(), *scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Text(to(DataType::Utf8)?.as_string().clone())
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Binary(to(DataType::Binary)?.as_binary().clone())
            }
            DataType::Timestamp(_, zone) => {
                let micros = to(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Self::Instant(micros.as_primitive().clone(), zone.is_some())
            }
            DataType::Dictionary(_, value) => Self::new(&to(value.as_ref().clone())?)?,
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Self::list(array)?,
            DataType::Struct(fields) => {
                let parts = array.as_struct();
                let columns = fields.iter().zip(parts.columns()).map(|(f, c)| Ok((f.name().clone(), Self::new(c)?)));
                Self::Struct(parts.clone(), columns.collect::<Result<_, ArrowError>>()?)
            }
            _ => Self::Shown(array.clone()),
        })
    }

    fn list(array: &ArrayRef) -> Result<Self, ArrowError> {
        let mut items = Vec::with_capacity(array.len());
        let mut lengths = Vec::with_capacity(array.len());
        for row in 0..array.len() {
            let item = match array.data_type() {
                _ if array.is_null(row) => None,
                DataType::List(_) => Some(array.as_list::<i32>().value(row)),
                DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
                _ => Some(array.as_fixed_size_list().value(row)),
            };
            lengths.push(item.as_ref().map_or(0, |item| item.len()));
            items.push(item.as_ref().map(Self::new).transpose()?);
        }
        Ok(Self::List(items, lengths))
    }

    /// Writes the cell as JSON.
    pub fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match self {
            Self::Float(values) => match values.value(row) {
                value if value.is_finite() => serde_json::to_writer(&mut *out, &value).map_err(json_error)?,
                _ => out.extend_from_slice(b"null"),
            },
            Self::Text(values) => serde_json::to_writer(&mut *out, values.value(row)).map_err(json_error)?,
            Self::List(items, lengths) => {
                out.push(b'[');
                for index in 0..lengths[row] {
                    if index > 0 {
                        out.push(b',');
                    }
                    if let Some(item) = &items[row] {
                        item.json(index, out)?;
                    }
                }
                out.push(b']');
            }
            Self::Struct(_, columns) => {
                out.push(b'{');
                for (index, (name, cells)) in columns.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    serde_json::to_writer(&mut *out, name).map_err(json_error)?;
                    out.push(b':');
                    cells.json(row, out)?;
                }
                out.push(b'}');
            }
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::UInt(_) => self.text(row, out)?,
            Self::Decimal(..) | Self::Binary(_) | Self::Instant(..) | Self::Shown(_) => {
                let mut text = Vec::new();
                self.text(row, &mut text)?;
                serde_json::to_writer(&mut *out, &String::from_utf8_lossy(&text)).map_err(json_error)?;
            }
        }
        Ok(())
    }

    /// Writes the cell as plain text; null as nothing.
    pub fn text(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if self.is_null(row) {
            return Ok(());
        }
        match self {
            Self::Null => {}
            Self::Bool(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Self::Int(values) => write!(out, "{}", values.value(row))?,
            Self::UInt(values) => write!(out, "{}", values.value(row))?,
            Self::Float(values) => match values.value(row) {
                value if value.is_finite() => serde_json::to_writer(&mut *out, &value).map_err(json_error)?,
                value => write!(out, "{value}")?,
            },
            Self::Decimal(values, scale) => out.extend_from_slice(decimal(values.value(row), *scale).as_bytes()),
            Self::Text(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Self::Binary(values) => out.extend_from_slice(STANDARD.encode(values.value(row)).as_bytes()),
            Self::Instant(values, utc) => out.extend_from_slice(instant(values.value(row), *utc).as_bytes()),
            Self::List(..) | Self::Struct(..) => self.json(row, out)?,
            Self::Shown(array) => {
                let options = FormatOptions::default();
                write!(out, "{}", ArrayFormatter::try_new(array.as_ref(), &options)?.value(row))?;
            }
        }
        Ok(())
    }

    /// Returns whether the cell is null.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(values) => values.is_null(row),
            Self::Int(values) => values.is_null(row),
            Self::UInt(values) => values.is_null(row),
            Self::Float(values) => values.is_null(row),
            Self::Decimal(values, _) => values.is_null(row),
            Self::Text(values) => values.is_null(row),
            Self::Binary(values) => values.is_null(row),
            Self::Instant(values, _) => values.is_null(row),
            Self::List(items, _) => items[row].is_none(),
            Self::Struct(values, _) => values.is_null(row),
            Self::Shown(array) => array.is_null(row),
        }
    }
}

/// Writes an exact decimal without the zeros that only the scale adds.
fn decimal(value: i128, scale: i8) -> String {
    let Ok(scale) = usize::try_from(scale) else {
        return format!("{value}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn instant(micros: i64, utc: bool) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) if utc => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Some(time) => naive(time.naive_utc()),
        None => micros.to_string(),
    }
}

fn naive(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// Returns the column names; a name that came before gets a number.
pub(super) fn names(schema: &Schema) -> Vec<String> {
    unique(schema.fields())
}

fn unique(fields: &Fields) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut names = Vec::with_capacity(fields.len());
    for field in fields {
        let mut name = field.name().clone();
        let mut number = 2;
        while !seen.insert(name.clone()) {
            name = format!("{}_{number}", field.name());
            number += 1;
        }
        names.push(name);
    }
    names
}

fn json_error(error: serde_json::Error) -> ArrowError {
    ArrowError::JsonError(error.to_string())
}

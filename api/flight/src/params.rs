//! One row of bound values, from Arrow to the JSON in which the service takes parameters.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UnionArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use partitura_event::{ErrorClass, Problem};
use serde_json::{Map, Number, Value};

/// Reads the one row of `batches`: by place for `$1` and `?`, by name for `$name`.
pub fn values(batches: &[RecordBatch], open: &[String]) -> Result<Value, Problem> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let batch = batches.iter().find(|batch| batch.num_rows() > 0);
    let Some(batch) = batch.filter(|_| rows == 1) else {
        return Err(invalid(format!("{rows} rows of values are bound; a query takes one"))
            .hint("execute the statement once for each row"));
    };
    let columns: Vec<Value> = batch.columns().iter().map(|column| value(column, 0)).collect::<Result<_, _>>()?;
    let schema = batch.schema();
    let named = open.iter().any(|name| name.parse::<usize>().is_err());
    if named {
        let bare = |name: &String| name.trim_start_matches(['$', ':', '@']).to_owned();
        let names = schema.fields().iter().map(|field| bare(field.name()));
        return Ok(Value::Object(names.zip(columns).collect::<Map<_, _>>()));
    }
    if columns.len() != open.len() {
        let detail = format!("the statement has {} parameters and {} values are bound", open.len(), columns.len());
        return Err(invalid(detail).hint("bind as many values as the statement has parameters"));
    }
    Ok(Value::Array(columns))
}

fn value(column: &ArrayRef, row: usize) -> Result<Value, Problem> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let one = column.slice(row, 1);
    Ok(match column.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(one.as_boolean().value(0)),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            as_type(&one, &DataType::Int64)?.as_primitive::<Int64Type>().value(0).into()
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            as_type(&one, &DataType::UInt64)?.as_primitive::<UInt64Type>().value(0).into()
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let float = as_type(&one, &DataType::Float64)?.as_primitive::<Float64Type>().value(0);
            let number = Number::from_f64(float).ok_or_else(|| invalid(format!("a bound value is {float}")))?;
            Value::Number(number)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Value::String(as_type(&one, &DataType::Utf8)?.as_string::<i32>().value(0).to_owned())
        }
        // Some clients give each value the choice of all types.
        DataType::Union(..) => match one.as_any().downcast_ref::<UnionArray>() {
            Some(union) => value(&union.value(0), 0)?,
            None => Value::Null,
        },
        DataType::Dictionary(_, inner) => value(&as_type(&one, inner)?, 0)?,
        DataType::List(_) => list(one.as_list::<i32>().value(0))?,
        DataType::LargeList(_) => list(one.as_list::<i64>().value(0))?,
        DataType::FixedSizeList(..) => list(one.as_fixed_size_list().value(0))?,
        ty if ty.is_temporal() || ty.is_decimal() => Value::String(shown(&one)?),
        other => {
            let hint = "bind text, numbers, booleans, times, decimals, nulls or lists of these";
            return Err(invalid(format!("a value of the Arrow type {other} cannot be bound")).hint(hint));
        }
    })
}

fn list(items: ArrayRef) -> Result<Value, Problem> {
    (0..items.len()).map(|row| value(&items, row)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// Writes times as RFC 3339 and decimals with all their digits.
fn shown(one: &ArrayRef) -> Result<String, Problem> {
    let options = FormatOptions::new();
    let wrong = |error: &dyn std::fmt::Display| invalid(format!("a bound value cannot be read: {error}"));
    let formatter = ArrayFormatter::try_new(one, &options).map_err(|error| wrong(&error))?;
    formatter.value(0).try_to_string().map_err(|error| wrong(&error))
}

fn as_type(one: &ArrayRef, ty: &DataType) -> Result<ArrayRef, Problem> {
    cast(one, ty).map_err(|error| invalid(format!("a bound value cannot be read: {error}")))
}

fn invalid(detail: String) -> Problem {
    Problem::new(ErrorClass::Invalid, detail).code("sql_parameter_type")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, ListArray,
        NullArray, StringArray, TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::{Int32Type, Int64Type as I64};
    use serde_json::json;

    use super::*;

    fn bound(columns: Vec<(&str, ArrayRef)>, open: &[&str]) -> Result<Value, Problem> {
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let open: Vec<String> = open.iter().map(|&name| name.to_owned()).collect();
        values(&[batch], &open)
    }

    #[test]
    fn every_type_that_can_be_bound_becomes_json() {
        let time = TimestampMicrosecondArray::from(vec![1_700_000_000_000_000]).with_timezone("UTC");
        let dictionary: DictionaryArray<Int32Type> = vec!["d"].into_iter().collect();
        let mut union = arrow::array::UnionBuilder::new_dense();
        union.append::<I64>("number", 5).expect("a value");
        let union = union.build().expect("a union");
        let list = ListArray::from_iter_primitive::<I64, _, _>(vec![Some(vec![Some(1), None])]);
        let decimal = Decimal128Array::from(vec![12_345]).with_precision_and_scale(10, 2).expect("a decimal");
        for (array, expected) in [
            (Arc::new(StringArray::from(vec!["a'b"])) as ArrayRef, json!("a'b")),
            (Arc::new(Int32Array::from(vec![-7])), json!(-7)),
            (Arc::new(UInt64Array::from(vec![u64::MAX])), json!(u64::MAX)),
            (Arc::new(Float64Array::from(vec![0.5])), json!(0.5)),
            (Arc::new(BooleanArray::from(vec![true])), json!(true)),
            (Arc::new(NullArray::new(1)), json!(null)),
            (Arc::new(Int32Array::from(vec![None])), json!(null)),
            (Arc::new(time), json!("2023-11-14T22:13:20Z")),
            (Arc::new(Date32Array::from(vec![19_723])), json!("2024-01-01")),
            (Arc::new(decimal), json!("123.45")),
            (Arc::new(dictionary), json!("d")),
            (Arc::new(list), json!([1, null])),
            (Arc::new(union), json!(5)),
        ] {
            let ty = array.data_type().clone();
            assert_eq!(bound(vec![("0", array)], &["1"]).expect("it can be bound"), json!([expected]), "{ty}");
        }
    }

    #[test]
    fn what_cannot_be_bound_is_said() {
        let text = |values: Vec<&str>| Arc::new(StringArray::from(values)) as ArrayRef;
        for (columns, open, says) in [
            (vec![("0", text(vec!["a", "b"]))], vec!["1"], "2 rows of values"),
            (vec![("0", text(vec!["a"]))], vec!["1", "2"], "2 parameters and 1 values"),
            (vec![("0", Arc::new(Float64Array::from(vec![f64::NAN])) as ArrayRef)], vec!["1"], "NaN"),
            (vec![("0", Arc::new(BinaryArray::from(vec![&b"x"[..]])) as ArrayRef)], vec!["1"], "Binary"),
        ] {
            let problem = bound(columns, &open).expect_err("it is refused");
            assert!(problem.detail.contains(says), "{problem}");
        }
        let named = bound(vec![("$agent", text(vec!["claude"]))], &["agent"]);
        assert_eq!(named.expect("it can be bound"), json!({"agent": "claude"}));
    }
}

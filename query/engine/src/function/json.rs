//! JSON in text columns: `json_get_str(data, 'a', 'b')`, `data -> 'a' ->> 'b'`.
//!
//! The text is read only as far as the path leads; nothing is built for the rest of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, StringArray, StringBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sqlparser::ast::BinaryOperator;

/// What a function makes of the value at the end of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Want {
    /// JSON text.
    Json,
    /// A string without quotes; other values as JSON text.
    Text,
    Int,
    Float,
    Bool,
    /// Number of items or fields.
    Length,
    /// Whether the path leads to a value.
    Exists,
}

const FUNCTIONS: &[(&str, Want)] = &[
    ("json_get", Want::Json),
    ("json_get_str", Want::Text),
    ("json_get_int", Want::Int),
    ("json_get_float", Want::Float),
    ("json_get_bool", Want::Bool),
    ("json_length", Want::Length),
    ("json_contains", Want::Exists),
];

/// Returns all JSON functions.
pub(super) fn all() -> Vec<ScalarUDF> {
    FUNCTIONS.iter().map(|(name, want)| ScalarUDF::from(JsonFunction::new(name, *want))).collect()
}

/// Plans `->` and `->>`.
#[derive(Debug)]
pub(super) struct JsonOperators;

impl ExprPlanner for JsonOperators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (name, want) = match expr.op {
            BinaryOperator::Arrow => ("json_get", Want::Json),
            BinaryOperator::LongArrow => ("json_get_str", Want::Text),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let function = Arc::new(ScalarUDF::from(JsonFunction::new(name, want)));
        let call = ScalarFunction::new_udf(function, vec![expr.left, expr.right]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonFunction {
    name: &'static str,
    want: Want,
    signature: Signature,
}

impl JsonFunction {
    fn new(name: &'static str, want: Want) -> Self {
        Self { name, want, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        if args.is_empty() {
            return Err(DataFusionError::Plan(format!("{}(json, path…) needs the JSON text", self.name)));
        }
        Ok(match self.want {
            Want::Json | Want::Text => DataType::Utf8,
            Want::Int | Want::Length => DataType::Int64,
            Want::Float => DataType::Float64,
            Want::Bool | Want::Exists => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let texts = cast(&args.args[0].to_array(rows)?, &DataType::Utf8)?;
        let path = args.args[1..].iter().map(|step| Steps::new(step, rows)).collect::<Result<Vec<_>>>()?;
        let result = self.run(texts.as_string::<i32>(), &path);
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

impl JsonFunction {
    fn run(&self, texts: &StringArray, path: &[Steps]) -> ArrayRef {
        let found = (0..texts.len()).map(|row| {
            let text = (!texts.is_null(row)).then(|| texts.value(row))?;
            path.iter().try_fold(text, |json, steps| steps.at(row).and_then(|step| seek(json, &step)))
        });
        match self.want {
            Want::Json => text_array(found.map(|json| json.map(|json| Cow::Borrowed(json.trim())))),
            Want::Text => text_array(found.map(|json| json.and_then(text_of))),
            Want::Int => {
                let mut values = Int64Builder::new();
                found.for_each(|json| values.append_option(json.and_then(int_of)));
                Arc::new(values.finish())
            }
            Want::Length => {
                let mut values = Int64Builder::new();
                found.for_each(|json| values.append_option(json.and_then(length_of)));
                Arc::new(values.finish())
            }
            Want::Float => {
                let mut values = Float64Builder::new();
                found.for_each(|json| values.append_option(json.and_then(float_of)));
                Arc::new(values.finish())
            }
            Want::Bool => {
                let mut values = BooleanBuilder::new();
                found.for_each(|json| values.append_option(json.and_then(|json| json.trim().parse().ok())));
                Arc::new(values.finish())
            }
            Want::Exists => {
                let mut values = BooleanBuilder::new();
                found.for_each(|json| values.append_value(json.is_some()));
                Arc::new(values.finish())
            }
        }
    }
}

fn text_array<'a>(texts: impl Iterator<Item = Option<Cow<'a, str>>>) -> ArrayRef {
    let mut values = StringBuilder::new();
    texts.for_each(|text| values.append_option(text));
    Arc::new(values.finish())
}

/// One step of a path per row: a field's name, or an index.
enum Steps {
    Fields(ArrayRef),
    Indexes(ArrayRef),
}

enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

impl Steps {
    fn new(value: &ColumnarValue, rows: usize) -> Result<Self> {
        let array = value.to_array(rows)?;
        match array.data_type() {
            ty if ty.is_integer() => Ok(Self::Indexes(cast(&array, &DataType::Int64)?)),
            _ => Ok(Self::Fields(cast(&array, &DataType::Utf8)?)),
        }
    }

    fn at(&self, row: usize) -> Option<Step<'_>> {
        match self {
            Self::Fields(names) => {
                let names = names.as_string::<i32>();
                (!names.is_null(row)).then(|| Step::Field(names.value(row)))
            }
            Self::Indexes(indexes) => {
                let indexes = indexes.as_primitive::<Int64Type>();
                let index = (!indexes.is_null(row)).then(|| indexes.value(row))?;
                usize::try_from(index).ok().map(Step::Index)
            }
        }
    }
}

/// Returns the text of the value to which `step` leads from `json`.
fn seek<'a>(json: &'a str, step: &Step<'_>) -> Option<&'a str> {
    let mut reader = serde_json::Deserializer::from_str(json);
    Seek(step).deserialize(&mut reader).ok().flatten().map(RawValue::get)
}

struct Seek<'s>(&'s Step<'s>);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.0 {
                Step::Field(wanted) if *wanted == key => found = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut index = 0;
        while let Some(item) = items.next_element::<&'de RawValue>()? {
            if matches!(self.0, Step::Index(wanted) if *wanted == index) {
                found = Some(item);
            }
            index += 1;
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Returns a string's content, other values as they are written; `null` is nothing.
fn text_of(json: &str) -> Option<Cow<'_, str>> {
    let json = json.trim();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok().map(Cow::<str>::Owned),
        b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

fn int_of(json: &str) -> Option<i64> {
    let text = text_of(json)?;
    text.parse()
        .ok()
        .or_else(|| text.parse::<f64>().ok().filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i64))
}

fn float_of(json: &str) -> Option<f64> {
    text_of(json)?.parse().ok()
}

fn length_of(json: &str) -> Option<i64> {
    let json = json.trim();
    match json.as_bytes().first()? {
        b'[' => serde_json::from_str::<Vec<IgnoredAny>>(json).ok().map(|items| items.len() as i64),
        b'{' => serde_json::from_str::<Fields>(json).ok().map(|fields| fields.0),
        _ => None,
    }
}

struct Fields(i64);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;
        impl<'de> Visitor<'de> for Count {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut count = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Fields(count))
            }
        }
        deserializer.deserialize_map(Count)
    }
}

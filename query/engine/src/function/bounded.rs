//! Functions that make much of little: refused when they would make what no limit counts.
//!
//! DataFusion counts the memory of sorts, joins and groups, not that of values which functions make:
//! `repeat('x', 1000000000)` is one of them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::error::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use partitura_event::{ErrorClass, Problem};

use crate::failure::external;

/// Most bytes that one batch of one call may become.
const BATCH_BYTES_MAX: u64 = 64 << 20;

/// How much a function makes of a row's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Growth {
    /// The first argument, as often as the second says.
    Times,
    /// As many characters or items as the second argument says.
    Width,
    /// One item per step from the first argument to the second.
    Steps,
    /// At most the third argument at each place of the first. Rows are tried in runs that fit.
    Places,
}

const BOUNDED: &[(&str, Growth)] = &[
    ("repeat", Growth::Times),
    ("array_repeat", Growth::Times),
    ("lpad", Growth::Width),
    ("rpad", Growth::Width),
    ("array_resize", Growth::Width),
    ("range", Growth::Steps),
    ("generate_series", Growth::Steps),
    ("replace", Growth::Places),
    ("regexp_replace", Growth::Places),
];

/// Puts a guard before each of them.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    for (name, growth) in BOUNDED {
        let inner = state.udf(name)?;
        state.register_udf(Arc::new(ScalarUDF::from(Bounded { inner, growth: *growth })))?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(arg_types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let made = self.growth.bytes(&args.args, rows)?;
        let total = made.iter().copied().fold(0, u64::saturating_add);
        if total <= BATCH_BYTES_MAX {
            return self.inner.invoke_with_args(args);
        }
        match self.growth {
            Growth::Places if !constant => self.in_runs(&args, &made),
            _ => Err(self.too_much(total)),
        }
    }
}

impl Bounded {
    /// Calls the function for a few rows at a time, so that what it really makes can be counted.
    fn in_runs(&self, args: &ScalarFunctionArgs, made: &[u64]) -> Result<ColumnarValue> {
        let (mut parts, mut total, mut from) = (Vec::<ArrayRef>::new(), 0, 0);
        while from < made.len() {
            let (mut to, mut most) = (from, 0_u64);
            while to < made.len() && (to == from || most.saturating_add(made[to]) <= BATCH_BYTES_MAX) {
                most = most.saturating_add(made[to]);
                to += 1;
            }
            if most > BATCH_BYTES_MAX {
                return Err(self.too_much(most));
            }
            let part = self.inner.invoke_with_args(run(args, from, to - from))?.to_array(to - from)?;
            total += part.get_array_memory_size() as u64;
            if total > BATCH_BYTES_MAX {
                return Err(self.too_much(total));
            }
            parts.push(part);
            from = to;
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }

    fn too_much(&self, bytes: u64) -> datafusion::error::DataFusionError {
        let detail = format!("{} would make {bytes} bytes; at most {BATCH_BYTES_MAX} per batch of rows", self.name());
        external(Problem::new(ErrorClass::ResourcesExhausted, detail).code("sql_memory"))
    }
}

/// Returns the arguments of some rows.
fn run(args: &ScalarFunctionArgs, from: usize, rows: usize) -> ScalarFunctionArgs {
    let cut = |arg: &ColumnarValue| match arg {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, rows)),
        scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
    };
    ScalarFunctionArgs { args: args.args.iter().map(cut).collect(), number_rows: rows, ..args.clone() }
}

impl Growth {
    /// Returns the bytes that a call makes of each row, at most.
    fn bytes(self, args: &[ColumnarValue], rows: usize) -> Result<Vec<u64>> {
        let sizes = |index: usize| args.get(index).map_or_else(|| Ok(vec![0; rows]), |arg| sizes(arg, rows));
        let counts = |index: usize| args.get(index).map_or_else(|| Ok(vec![0; rows]), |arg| counts(arg, rows));
        let product = |a: Vec<u64>, b: Vec<u64>| a.into_iter().zip(b).map(|(a, b)| a.saturating_mul(b)).collect();
        Ok(match self {
            Self::Times => product(sizes(0)?, counts(1)?),
            Self::Width => counts(1)?.into_iter().map(|count| count.saturating_mul(8)).collect(),
            Self::Steps => steps(args, rows)?,
            Self::Places => {
                let (texts, with) = (sizes(0)?, sizes(2)?);
                let grown = |(text, with): (u64, u64)| (text + 1).saturating_mul(with.max(1)).saturating_add(text);
                texts.into_iter().zip(with).map(grown).collect()
            }
        })
    }
}

/// Returns the bytes of each value; of texts without their overhead, of other values at least 8.
fn sizes(values: &ColumnarValue, rows: usize) -> Result<Vec<u64>> {
    let values = values.to_array(rows)?;
    if let Ok(texts) = cast(&values, &DataType::Utf8) {
        return Ok(texts.as_string::<i32>().iter().map(|text| text.map_or(0, |text| text.len() as u64)).collect());
    }
    let each = values.get_array_memory_size() / values.len().max(1);
    Ok(vec![each.max(8) as u64; rows])
}

fn counts(values: &ColumnarValue, rows: usize) -> Result<Vec<u64>> {
    let values = cast(&values.to_array(rows)?, &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    Ok(values.iter().map(|value| value.map_or(0, |value| u64::try_from(value).unwrap_or(0))).collect())
}

/// Returns the bytes of the items of each `range(stop)`, `range(start, stop)`, `range(start, stop, step)`.
fn steps(args: &[ColumnarValue], rows: usize) -> Result<Vec<u64>> {
    let zeros = || vec![0; rows];
    let (start, stop, step) = match args {
        [stop] => (zeros(), ticks(stop, rows)?, vec![1; rows]),
        [start, stop] => (ticks(start, rows)?, ticks(stop, rows)?, vec![1; rows]),
        [start, stop, step] => (ticks(start, rows)?, ticks(stop, rows)?, ticks(step, rows)?),
        _ => return Ok(vec![0; rows]),
    };
    let items = |row: usize| start[row].abs_diff(stop[row]) / step[row].unsigned_abs().max(1) + 1;
    Ok((0..rows).map(|row| u64::try_from(items(row).saturating_mul(8)).unwrap_or(u64::MAX)).collect())
}

/// Returns numbers as they are, times and intervals in nanoseconds; months count as four weeks.
fn ticks(values: &ColumnarValue, rows: usize) -> Result<Vec<i128>> {
    const DAY: i128 = 86_400_000_000_000;
    let values = values.to_array(rows)?;
    if let DataType::Interval(_) = values.data_type() {
        let parts = cast(&values, &DataType::Interval(IntervalUnit::MonthDayNano))?;
        let nanos = parts.as_primitive::<IntervalMonthDayNanoType>().iter().map(|part| {
            part.map_or(0, |part| {
                i128::from(part.months) * 28 * DAY + i128::from(part.days) * DAY + i128::from(part.nanoseconds)
            })
        });
        return Ok(nanos.collect());
    }
    let unit = match values.data_type() {
        DataType::Date32 => DAY,
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => 1_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        _ => 1,
    };
    let whole = match values.data_type() {
        DataType::Date32 => cast(&cast(&values, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(&values, &DataType::Int64)?,
    };
    Ok(whole.as_primitive::<Int64Type>().iter().map(|value| i128::from(value.unwrap_or(0)) * unit).collect())
}

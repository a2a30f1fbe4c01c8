//! Days, weeks and months as the workspace's people live them.
//!
//! Time columns are instants. Functions of the calendar read them in the workspace's time zone:
//! `date_trunc`, `date_part`, `extract`, `to_char`, casts to a date. A text or date that is compared with
//! an instant is midnight (or the time it names) there too, unless it carries an offset. Weeks begin on
//! the workspace's first day. A value that was moved with `AT TIME ZONE` keeps the zone it was moved to.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::datetime;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::truncation::{Truncation, Unit};
use crate::request::Zone;

/// Returns the calendar functions for `zone`. In UTC with weeks from Monday DataFusion's own say the same,
/// and only `date_trunc` is replaced, by a quicker one.
pub(super) fn all(zone: Zone) -> Vec<ScalarUDF> {
    let zoned = |inner: Arc<ScalarUDF>| ScalarUDF::from(Zoned { truncates: inner.name() == "date_trunc", inner, zone });
    match zone == Zone::default() {
        true => vec![zoned(datetime::date_trunc())],
        false => [datetime::date_trunc(), datetime::date_part(), datetime::to_char()].into_iter().map(zoned).collect(),
    }
}

/// Plans `extract(… FROM …)` as our `date_part`; DataFusion would take its own.
#[derive(Debug)]
pub(super) struct Extract(pub Zone);

impl ExprPlanner for Extract {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let function = ScalarUDF::from(Zoned { truncates: false, inner: datetime::date_part(), zone: self.0 });
        Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), args))))
    }
}

/// A function of DataFusion that reads instants in a zone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Zoned {
    inner: Arc<ScalarUDF>,
    zone: Zone,
    truncates: bool,
}

impl Zoned {
    /// Returns whether a value is read in the zone: an instant of a table, or of `timestamptz`.
    fn reads(&self, ty: &DataType) -> bool {
        is_instant(ty) || matches!(ty, DataType::Timestamp(_, Some(zone)) if zone.as_ref() == self.zone.tz.name())
    }
}

impl ScalarUDFImpl for Zoned {
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

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.truncates
            && let [unit, value] = args.args.as_slice()
            && self.reads(&value.data_type())
        {
            return truncate_values(unit, value, self.zone);
        }
        for (value, field) in args.args.iter_mut().zip(&mut args.arg_fields) {
            if let DataType::Timestamp(unit, Some(_)) = value.data_type()
                && self.reads(&value.data_type())
            {
                let local = DataType::Timestamp(unit, Some(self.zone.tz.name().into()));
                *value = value.cast_to(&local, None)?;
                *field = Arc::new(Field::new(field.name(), local, field.is_nullable()));
            }
        }
        self.inner.invoke_with_args(args)
    }
}

/// Returns whether a value is an instant of a table, rather than one moved with `AT TIME ZONE`.
pub(super) fn is_instant(ty: &DataType) -> bool {
    matches!(ty, DataType::Timestamp(_, Some(zone)) if matches!(zone.as_ref(), "UTC" | "+00:00" | "Z"))
}

fn truncate_values(unit: &ColumnarValue, value: &ColumnarValue, zone: Zone) -> Result<ColumnarValue> {
    let ColumnarValue::Scalar(unit) = unit else {
        return Err(DataFusionError::Execution("the unit of date_trunc must be a constant".to_owned()));
    };
    let unit = Unit::parse(unit.try_as_str().flatten().unwrap_or_default())?;
    match value {
        ColumnarValue::Scalar(scalar) => {
            let array = truncate_array(&scalar.to_array()?, unit, zone)?;
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
        }
        ColumnarValue::Array(array) => Ok(ColumnarValue::Array(truncate_array(array, unit, zone)?)),
    }
}

fn truncate_array(array: &ArrayRef, unit: Unit, zone: Zone) -> Result<ArrayRef> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let micros = cast(array, &utc)?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    let mut truncation = Truncation::new(unit, zone);
    let start = |(row, instant): (usize, &i64)| match truncation.start(*instant) {
        Some(start) => Ok(start),
        None if micros.is_null(row) => Ok(0),
        None => Err(DataFusionError::Execution(format!("{instant} µs is outside of the calendar of date_trunc"))),
    };
    let starts = micros.values().iter().enumerate().map(start).collect::<Result<Vec<i64>>>()?;
    let truncated = TimestampMicrosecondArray::new(starts.into(), micros.nulls().cloned());
    let truncated: ArrayRef = Arc::new(truncated.with_timezone("UTC"));
    Ok(cast(&truncated, array.data_type())?)
}

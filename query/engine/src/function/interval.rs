//! `interval * number` and `number * interval`, which DataFusion does not plan: charts by five minutes are made of them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, IntervalMonthDayNanoArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use sqlparser::ast::BinaryOperator;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const DAY_MICROS: f64 = 86_400e6;

/// Returns `_interval_times(interval, number)`.
pub(super) fn interval_times() -> ScalarUDF {
    ScalarUDF::from(IntervalTimes { signature: Signature::any(2, Volatility::Immutable) })
}

/// Plans `*` where one side is written as an interval.
#[derive(Debug)]
pub(super) struct IntervalProduct;

impl ExprPlanner for IntervalProduct {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::Multiply {
            return Ok(PlannerResult::Original(expr));
        }
        let args = match (is_interval(&expr.left), is_interval(&expr.right)) {
            (true, false) => vec![expr.left, expr.right],
            (false, true) => vec![expr.right, expr.left],
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let call = ScalarFunction::new_udf(Arc::new(interval_times()), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => matches!(value.data_type(), DataType::Interval(_)),
        Expr::Cast(cast) => matches!(cast.field.data_type(), DataType::Interval(_)),
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IntervalTimes {
    signature: Signature,
}

impl ScalarUDFImpl for IntervalTimes {
    fn name(&self) -> &str {
        "_interval_times"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [DataType::Interval(_), by] if by.is_numeric() || by.is_null() => Ok(INTERVAL),
            _ => Err(DataFusionError::Plan("an interval is multiplied by a number".to_owned())),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let intervals = cast(&args.args[0].to_array(rows)?, &INTERVAL)?;
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let factors = cast(&args.args[1].to_array(rows)?, &DataType::Float64)?;
        let factors = factors.as_primitive::<Float64Type>();
        let product = |row: usize| {
            if intervals.is_null(row) || factors.is_null(row) {
                return Ok(None);
            }
            let product = times(intervals.value(row), factors.value(row));
            product.map(Some).ok_or_else(|| DataFusionError::Execution("the interval is out of range".to_owned()))
        };
        let products = (0..rows).map(product).collect::<Result<IntervalMonthDayNanoArray>>()?;
        Ok(ColumnarValue::Array(Arc::new(products)))
    }
}

/// Parts of a month become days, of which it has 30, and parts of a day become time, as in PostgreSQL.
fn times(interval: IntervalMonthDayNano, factor: f64) -> Option<IntervalMonthDayNano> {
    let months = f64::from(interval.months) * factor;
    let days = f64::from(interval.days) * factor + months.fract() * 30.0;
    let micros = interval.nanoseconds as f64 / 1e3 * factor + days.fract() * DAY_MICROS;
    let whole = f64::from(i32::MAX);
    // 64 bits hold the nanoseconds of 292 years. What is not a number fits nowhere.
    let fits = months.abs() <= whole && days.abs() <= whole && micros.abs() <= 9.2e15;
    fits.then(|| IntervalMonthDayNano::new(months as i32, days as i32, micros.round() as i64 * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000_000;

    fn of(months: i32, days: i32, nanoseconds: i64) -> IntervalMonthDayNano {
        IntervalMonthDayNano::new(months, days, nanoseconds)
    }

    /// PostgreSQL answers the same.
    #[test]
    fn parts_go_to_the_next_smaller_unit() {
        assert_eq!(times(of(0, 0, DAY / 288), 3.0), Some(of(0, 0, DAY / 96)));
        assert_eq!(times(of(0, 1, 0), 0.5), Some(of(0, 0, DAY / 2)));
        assert_eq!(times(of(1, 0, 0), 1.5), Some(of(1, 15, 0)));
        assert_eq!(times(of(0, 1, DAY / 24), -2.0), Some(of(0, -2, -DAY / 12)));
        assert_eq!(times(of(1, 0, 0), 0.25), Some(of(0, 7, DAY / 2)));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(times(of(i32::MAX, 0, 0), 2.0), None);
        assert_eq!(times(of(0, 0, i64::MAX), 2.0), None);
        assert_eq!(times(of(0, 1, 0), f64::NAN), None);
        assert_eq!(times(of(0, 1, 0), f64::INFINITY), None);
    }
}

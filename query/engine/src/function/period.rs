//! `_period_start(…)`: where the period of a budget or a service level began, in its own time zone.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::truncation::{Truncation, Unit};
use crate::request::Zone;

/// Returns `_period_start(time, period, time_zone)`: null for the period `total`, which has no beginning.
/// Without a zone of its own a period begins in the workspace's.
pub(super) fn period_start(zone: Zone) -> ScalarUDF {
    ScalarUDF::from(PeriodStart { zone, signature: Signature::any(3, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PeriodStart {
    zone: Zone,
    signature: Signature,
}

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

impl ScalarUDFImpl for PeriodStart {
    fn name(&self) -> &str {
        "_period_start"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(instant())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let times = cast(&args.args[0].to_array(rows)?, &instant())?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let periods = cast(&args.args[1].to_array(rows)?, &DataType::Utf8)?;
        let periods = periods.as_string::<i32>();
        let zones = cast(&args.args[2].to_array(rows)?, &DataType::Utf8)?;
        let zones = zones.as_string::<i32>();
        let mut known: HashMap<&str, Tz> = HashMap::new();
        let start = |row: usize| {
            if times.is_null(row) || periods.is_null(row) {
                return None;
            }
            let unit = Unit::parse(periods.value(row)).ok()?;
            let mut zone = self.zone;
            if !zones.is_null(row) {
                let name = zones.value(row);
                zone.tz = *known.entry(name).or_insert_with(|| name.parse().unwrap_or(self.zone.tz));
            }
            Truncation::new(unit, zone).start(times.value(row))
        };
        let starts: TimestampMicrosecondArray = (0..rows).map(start).collect();
        let starts: ArrayRef = Arc::new(starts.with_timezone("UTC"));
        Ok(ColumnarValue::Array(starts))
    }
}

//! `_cost(…)`: what a call cost by the price book. Used by the view `costs`.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Builder, Float64Array, Int64Array, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use partitura_event::Timestamp;

use super::by_rules::ByRules;
use crate::rules::Rules;
use crate::rules::price::Usage;

/// Returns `_cost(agent_id, model, provider, time, tokens_in, tokens_out, tokens_cache_read,
/// tokens_cache_write, tokens_reasoning, latency_ms)` → `{cost, currency, price_id}`; null without a price.
pub(super) fn cost(rules: Arc<Rules>) -> ScalarUDF {
    ScalarUDF::from(Cost { rules: ByRules(rules), signature: Signature::any(10, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Cost {
    rules: ByRules,
    signature: Signature,
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("cost", DataType::Decimal128(38, 12), true),
        Field::new("currency", DataType::Utf8, true),
        Field::new("price_id", DataType::Utf8, true),
    ])
}

impl ScalarUDFImpl for Cost {
    fn name(&self) -> &str {
        "_cost"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let column = |index: usize, ty: &DataType| {
            Ok::<_, datafusion::error::DataFusionError>(cast(&args.args[index].to_array(rows)?, ty)?)
        };
        let text = |index: usize| {
            Ok::<StringArray, datafusion::error::DataFusionError>(column(index, &DataType::Utf8)?.as_string().clone())
        };
        let int = |index: usize| {
            Ok::<Int64Array, datafusion::error::DataFusionError>(
                column(index, &DataType::Int64)?.as_primitive().clone(),
            )
        };
        let (agents, models, providers) = (text(0)?, text(1)?, text(2)?);
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let times: TimestampMicrosecondArray = column(3, &utc)?.as_primitive().clone();
        let counts = [int(4)?, int(5)?, int(6)?, int(7)?, int(8)?];
        let latencies: Float64Array = column(9, &DataType::Float64)?.as_primitive().clone();

        let book = &self.rules.0.prices;
        let mut known: HashMap<[Option<&str>; 3], Vec<Vec<usize>>> = HashMap::new();
        let mut costs = Decimal128Builder::new().with_data_type(DataType::Decimal128(38, 12));
        let (mut currencies, mut ids) = (StringBuilder::new(), StringBuilder::new());
        for row in 0..rows {
            let caller = [cell(&agents, row), cell(&models, row), cell(&providers, row)];
            let lists = known.entry(caller).or_insert_with(|| book.lists(caller[0], caller[1], caller[2]));
            let count = |index: usize| if counts[index].is_null(row) { 0 } else { counts[index].value(row).max(0) };
            let usage = Usage {
                tokens_in: count(0),
                tokens_out: count(1),
                cache_read: count(2),
                cache_write: count(3),
                reasoning: count(4),
                micros: if latencies.is_null(row) { 0 } else { (latencies.value(row) * 1e3).clamp(0.0, 9e15) as i64 },
            };
            let time = (!times.is_null(row)).then(|| Timestamp::from_micros(times.value(row))).flatten();
            let price = time.and_then(|time| book.at(lists, time));
            let cost = price.and_then(|price| price.cost(&usage));
            costs.append_option(cost);
            currencies.append_option(price.filter(|_| cost.is_some()).map(|price| price.currency.as_str()));
            ids.append_option(price.filter(|_| cost.is_some()).map(|price| price.price_id.as_str()));
        }
        let columns: Vec<ArrayRef> =
            vec![Arc::new(costs.finish()), Arc::new(currencies.finish()), Arc::new(ids.finish())];
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields(), columns, None)?)))
    }
}

fn cell(column: &StringArray, row: usize) -> Option<&str> {
    (!column.is_null(row)).then(|| column.value(row))
}

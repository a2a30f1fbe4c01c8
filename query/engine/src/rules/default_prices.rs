//! The prices that ship, as a table beside the workspace's.

use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, Decimal128Builder, Int64Builder, ListBuilder, StringArray, StringBuilder, StructBuilder,
    TimestampMicrosecondArray, UInt64Array, new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::error::Result;

use super::price::{Price, PriceBook};

/// Name in the schema `base`.
pub(crate) const NAME: &str = "default_prices";

/// Returns the table, made once.
pub(crate) fn table() -> Result<Arc<dyn TableProvider>> {
    static TABLE: OnceLock<Arc<MemTable>> = OnceLock::new();
    if let Some(table) = TABLE.get() {
        return Ok(table.clone());
    }
    let rows = rows(PriceBook::new(&[])?.prices())?;
    let table = Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?);
    Ok(TABLE.get_or_init(|| table).clone())
}

fn meter_fields() -> Fields {
    Fields::from(vec![
        Field::new("unit", DataType::Utf8, true),
        Field::new("per", DataType::Int64, true),
        Field::new("amount", DataType::Decimal128(38, 12), true),
        Field::new("above", DataType::Int64, true),
    ])
}

fn rows(prices: &[Price]) -> Result<RecordBatch> {
    let texts = |of: fn(&Price) -> Option<&str>| Arc::new(prices.iter().map(of).collect::<StringArray>()) as ArrayRef;
    let times = |of: fn(&Price) -> i64| {
        Arc::new(TimestampMicrosecondArray::from_iter_values(prices.iter().map(of)).with_timezone("UTC")) as ArrayRef
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("price_id", texts(|price| Some(&price.price_id))),
        ("model", texts(|price| price.model.as_deref())),
        ("provider", texts(|price| price.provider.as_deref())),
        ("agent_id", texts(|price| price.agent_id.as_deref())),
        ("currency", texts(|price| Some(&price.currency))),
        ("meters", meters(prices)),
        ("valid_from", times(|price| price.valid_from.micros())),
        ("set_at", times(|price| price.set_at.micros())),
        ("attributes", new_null_array(&DataType::Utf8, prices.len())),
        ("_pos", Arc::new(UInt64Array::from_value(0, prices.len()))),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn meters(prices: &[Price]) -> ArrayRef {
    let amounts = Decimal128Builder::new().with_data_type(DataType::Decimal128(38, 12));
    let parts: Vec<Box<dyn ArrayBuilder>> = vec![
        Box::new(StringBuilder::new()),
        Box::new(Int64Builder::new()),
        Box::new(amounts),
        Box::new(Int64Builder::new()),
    ];
    let mut lists = ListBuilder::new(StructBuilder::new(meter_fields(), parts));
    for price in prices {
        for meter in &price.meters {
            let item = lists.values();
            if let Some(unit) = item.field_builder::<StringBuilder>(0) {
                unit.append_value(meter.unit.word());
            }
            if let Some(per) = item.field_builder::<Int64Builder>(1) {
                per.append_value(meter.per);
            }
            if let Some(amount) = item.field_builder::<Decimal128Builder>(2) {
                amount.append_value(meter.amount);
            }
            if let Some(above) = item.field_builder::<Int64Builder>(3) {
                above.append_option((meter.above > 0).then_some(meter.above));
            }
            item.append(true);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_default_has_a_price_of_input() {
        let book = super::PriceBook::new(&[]).expect("the shipped table is well-formed");
        assert!(book.prices().len() > 100);
        for price in book.prices() {
            assert!(price.meters.iter().any(|meter| meter.unit.word() == "tokens_in"), "{}", price.price_id);
        }
    }
}

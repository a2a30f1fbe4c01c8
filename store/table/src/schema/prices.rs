//! `prices` and `fx_rates`: what a model or an agent costs per unit, and what a currency is worth.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::ColumnType::{Arrow, Json, Money, Text, Time, Word};
use super::{ColumnSpec, Shape, TableSpec};

/// One row per price.
pub static PRICES: TableSpec = TableSpec {
    name: "prices",
    shape: Shape::Keyed,
    grain: "One row per price: a model, provider or agent, in one currency, from one time on.",
    about: "A price set again (same `price_id`, or without one the same model, provider, agent, currency and \
            `valid_from`) replaces the former one, and so re-prices the past.",
    key: &["price_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required(
            "price_id",
            Text,
            "The price; `{provider}/{model}/{agent_id}/{currency}/{valid_from}` where none was sent.",
        ),
        ColumnSpec::optional("model", Word, "Model it is for; null means any."),
        ColumnSpec::optional("provider", Word, "Provider it is for; null means any."),
        ColumnSpec::optional("agent_id", Word, "Agent it is for; null means any."),
        ColumnSpec::required("currency", Word, "Currency of the amounts."),
        ColumnSpec::required(
            "meters",
            Arrow(meters),
            "What is counted: `amount` for every `per` units of `unit`, for calls with more than `above` tokens in.",
        ),
        ColumnSpec::required("valid_from", Time, "From when it applies, by the time of the work."),
        ColumnSpec::required("set_at", Time, "When it was set."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// Returns the Arrow fields of one meter, in the order of the struct.
pub fn meter_fields() -> Fields {
    Fields::from(vec![
        Field::new("unit", DataType::Utf8, true),
        Field::new("per", DataType::Int64, true),
        Field::new("amount", DataType::Decimal128(38, 12), true),
        Field::new("above", DataType::Int64, true),
    ])
}

/// Returns the type of `prices.meters`.
fn meters() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(meter_fields()), true)))
}

/// One row per rate of exchange.
pub static FX_RATES: TableSpec = TableSpec {
    name: "fx_rates",
    shape: Shape::Keyed,
    grain: "One row per pair of currencies and time from which the rate applies.",
    about: "How much of `quote` one unit of `base` is worth. A rate set again replaces the former one.",
    key: &["base", "quote", "valid_from"],
    joins: &[],
    columns: &[
        ColumnSpec::required("base", Word, "Currency that is worth."),
        ColumnSpec::required("quote", Word, "Currency in which it is expressed."),
        ColumnSpec::required("rate", Money, "Units of `quote` for one unit of `base`."),
        ColumnSpec::required("valid_from", Time, "From when it applies."),
        ColumnSpec::required("set_at", Time, "When it was set."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

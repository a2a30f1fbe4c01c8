//! `prices` and `fx_rates`: the last word on each.

use partitura_event::Problem;
use partitura_table::schema::prices::{FX_RATES, PRICES};

use super::append::Append;
use super::latest::Latest;
use crate::data::Data;
use crate::field::{Field, Read, column};
use crate::fold::Event;
use crate::rows::Cells;
use crate::value::Value;

const PRICE_FIELDS: &[Field] = &[
    Field::new("model", Read::Text),
    Field::new("provider", Read::Text),
    Field::new("agent_id", Read::Text),
    Field::new("currency", Read::Upper),
    Field::new("valid_from", Read::Time),
];

const PRICE_ID: u16 = column(&PRICES, "price_id");
const METERS: u16 = column(&PRICES, "meters");
const PRICE_SET_AT: u16 = column(&PRICES, "set_at");

/// Describes the fold of prices.
pub fn prices() -> Latest {
    Latest::new(Append::new(&PRICES, &["price.set"], PRICE_FIELDS, &["price_id", "meters"], price), price_key)
}

fn price_key(event: &Event<'_>) -> Result<Option<String>, Problem> {
    price_id(event.data).map(Some)
}

/// Returns the id that was sent, or what a price without one is known by.
fn price_id(data: &Data<'_>) -> Result<String, Problem> {
    if let Some(id) = data.text("price_id")? {
        return Ok(id.into_owned());
    }
    let part = |name: &str| data.text(name).map(Option::unwrap_or_default);
    let from = data.time("valid_from")?.unwrap_or_default();
    let from = partitura_event::Timestamp::from_micros(from).unwrap_or(partitura_event::Timestamp::MIN);
    let currency = part("currency")?.to_ascii_uppercase();
    Ok(format!("{}/{}/{}/{currency}/{from}", part("provider")?, part("model")?, part("agent_id")?))
}

fn price<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((PRICE_ID, Value::text(price_id(event.data)?)));
    cells.push((PRICE_SET_AT, event.time()));
    let meters: Vec<Box<serde_json::value::RawValue>> =
        event.data.typed("meters", "a list of meters")?.unwrap_or_default();
    let meters = meters.iter().map(|raw| meter(&Data::split(raw.get())?)).collect::<Result<Vec<_>, Problem>>()?;
    cells.push((METERS, Value::Structs(meters)));
    Ok(())
}

/// Reads one meter in the order of `prices::meter_fields`.
fn meter(data: &Data<'_>) -> Result<Vec<Option<Value<'static>>>, Problem> {
    Ok(vec![
        Some(Value::text(data.need("unit")?.into_owned())),
        data.int("per")?.map(Value::Int),
        data.money("amount")?.map(Value::money),
        data.int("above")?.map(Value::Int),
    ])
}

const RATE_FIELDS: &[Field] = &[
    Field::new("base", Read::Upper),
    Field::new("quote", Read::Upper),
    Field::new("rate", Read::Money),
    Field::new("valid_from", Read::Time),
];

const RATE_SET_AT: u16 = column(&FX_RATES, "set_at");

/// Describes the fold of rates of exchange.
pub fn fx_rates() -> Latest {
    Latest::new(Append::new(&FX_RATES, &["fx.set"], RATE_FIELDS, &[], rate), rate_key)
}

fn rate_key(event: &Event<'_>) -> Result<Option<String>, Problem> {
    let data = event.data;
    let from = data.time("valid_from")?.unwrap_or_default();
    Ok(Some(format!("{}/{}/{from}", data.need("base")?, data.need("quote")?)))
}

fn rate<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((RATE_SET_AT, event.time()));
    Ok(())
}

//! The price book: what a call cost at its time, at the prices known at the query's position.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimestampMicrosecondType};
use datafusion::error::{DataFusionError, Result};
use partitura_event::{Amount, Timestamp};

use super::model_name::{candidates, family, fold};

/// Reads the workspace's prices.
pub(crate) const SQL: &str = "SELECT price_id, model, provider, agent_id, currency, meters, valid_from, set_at \
     FROM base.prices ORDER BY set_at, lower(price_id)";

/// The table that ships, dated by its name.
const DEFAULTS: &str = include_str!("../../prices/2026-08.csv");
/// What its `price_id`s begin with.
const DEFAULT_PREFIX: &str = "default-2026-08/";

/// What a meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    TokensIn,
    TokensOut,
    CacheRead,
    CacheWrite,
    Reasoning,
    Requests,
    Seconds,
}

const UNITS: &[(Unit, &str)] = &[
    (Unit::TokensIn, "tokens_in"),
    (Unit::TokensOut, "tokens_out"),
    (Unit::CacheRead, "tokens_cache_read"),
    (Unit::CacheWrite, "tokens_cache_write"),
    (Unit::Reasoning, "tokens_reasoning"),
    (Unit::Requests, "requests"),
    (Unit::Seconds, "seconds"),
];

impl Unit {
    /// Returns `None` for what no single call has: seats.
    fn parse(text: &str) -> Option<Self> {
        UNITS.iter().find(|(_, word)| *word == text).map(|(unit, _)| *unit)
    }

    /// Returns its name in events and tables.
    pub fn word(self) -> &'static str {
        UNITS.iter().find(|(unit, _)| *unit == self).map_or("", |(_, word)| word)
    }
}

/// `amount` (in 10^-12) for every `per` units, for calls with more than `above` tokens in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meter {
    pub unit: Unit,
    pub per: i64,
    pub amount: i128,
    pub above: i64,
}

/// One price.
#[derive(Clone, Debug)]
pub(crate) struct Price {
    pub price_id: String,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub agent_id: Option<String>,
    pub currency: String,
    pub meters: Vec<Meter>,
    pub valid_from: Timestamp,
    pub set_at: Timestamp,
    pub is_default: bool,
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub tokens_in: i64,
    pub tokens_out: i64,
    pub cache_read: i64,
    pub cache_write: i64,
    pub reasoning: i64,
    pub micros: i64,
}

/// Prices by whom and what they are for.
#[derive(Debug, Default)]
pub(crate) struct PriceBook {
    prices: Vec<Price>,
    by_agent: HashMap<String, Vec<usize>>,
    by_model: HashMap<String, Vec<usize>>,
    by_provider: HashMap<String, Vec<usize>>,
}

impl PriceBook {
    /// Makes the book of the workspace's prices, before the defaults.
    pub fn new(batches: &[RecordBatch]) -> Result<Self> {
        let mut prices = defaults()?;
        for batch in batches {
            read_batch(batch, &mut prices)?;
        }
        let mut book = Self::default();
        for price in prices {
            book.enter(price);
        }
        Ok(book)
    }

    fn enter(&mut self, price: Price) {
        let index = self.prices.len();
        if let Some(agent) = &price.agent_id {
            self.by_agent.entry(agent.to_lowercase()).or_default().push(index);
        } else if let Some(model) = &price.model {
            let (exact, family) = (fold(model), family(model));
            if family != exact {
                self.by_model.entry(family).or_default().push(index);
            }
            self.by_model.entry(exact).or_default().push(index);
        } else if let Some(provider) = &price.provider {
            self.by_provider.entry(provider.to_lowercase()).or_default().push(index);
        }
        self.prices.push(price);
    }

    /// Returns all prices, defaults included.
    pub fn prices(&self) -> &[Price] {
        &self.prices
    }

    /// Returns the prices that may apply to a caller, the best kind first, each kind as one list.
    ///
    /// A price for the agent beats one for the model, an exact model name beats its family, a model
    /// beats a provider; within a kind, the workspace's prices beat the defaults.
    pub fn lists(&self, agent: Option<&str>, model: Option<&str>, provider: Option<&str>) -> Vec<Vec<usize>> {
        let mut lists: Vec<Vec<usize>> = Vec::new();
        let fits = |price: &Price| {
            let model_fits = match (&price.model, model) {
                (Some(wanted), Some(model)) => {
                    candidates(model).contains(&fold(wanted)) || family(wanted) == family(model)
                }
                (Some(_), None) => false,
                (None, _) => true,
            };
            let provider_fits = match (&price.provider, provider) {
                (Some(wanted), Some(provider)) => wanted.eq_ignore_ascii_case(provider) || price.is_default,
                (Some(_), None) => price.model.is_some(),
                (None, _) => true,
            };
            model_fits && provider_fits
        };
        let mut push = |found: Option<&Vec<usize>>, exact: Option<&str>| {
            let Some(found) = found else { return };
            for is_default in [false, true] {
                let list: Vec<usize> = found
                    .iter()
                    .copied()
                    .filter(|index| self.prices[*index].is_default == is_default && fits(&self.prices[*index]))
                    .collect();
                let (named, family): (Vec<_>, Vec<_>) = list.into_iter().partition(|index| {
                    exact.is_none_or(|name| self.prices[*index].model.as_deref().map(fold).as_deref() == Some(name))
                });
                lists.extend([named, family].into_iter().filter(|list| !list.is_empty()));
            }
        };
        if let Some(agent) = agent {
            push(self.by_agent.get(&agent.to_lowercase()), None);
        }
        for name in model.map(candidates).unwrap_or_default() {
            push(self.by_model.get(&name), Some(&name));
        }
        if let Some(provider) = provider {
            push(self.by_provider.get(&provider.to_lowercase()), None);
        }
        lists
    }

    /// Returns the price of the first list that has one valid at `time`.
    pub fn at(&self, lists: &[Vec<usize>], time: Timestamp) -> Option<&Price> {
        lists.iter().find_map(|list| {
            let valid = list.iter().map(|index| &self.prices[*index]).filter(|price| price.valid_from <= time);
            valid.max_by(|a, b| (a.valid_from, a.set_at, &a.price_id).cmp(&(b.valid_from, b.set_at, &b.price_id)))
        })
    }
}

impl Price {
    /// Returns the cost in 10^-12 of the currency; `None` when it is too large to be money.
    pub fn cost(&self, usage: &Usage) -> Option<i128> {
        let has = |unit: Unit| self.meter(unit, usage.tokens_in).is_some();
        let finer = |unit: Unit, count: i64| if has(unit) { count } else { 0 };
        let plain_in =
            usage.tokens_in - finer(Unit::CacheRead, usage.cache_read) - finer(Unit::CacheWrite, usage.cache_write);
        let plain_out = usage.tokens_out - finer(Unit::Reasoning, usage.reasoning);
        let counts = [
            (Unit::TokensIn, plain_in.max(0), 1),
            (Unit::TokensOut, plain_out.max(0), 1),
            (Unit::CacheRead, usage.cache_read, 1),
            (Unit::CacheWrite, usage.cache_write, 1),
            (Unit::Reasoning, usage.reasoning, 1),
            (Unit::Requests, 1, 1),
            (Unit::Seconds, usage.micros, 1_000_000),
        ];
        let mut total: i128 = 0;
        for (unit, count, scale) in counts {
            if let Some(meter) = self.meter(unit, usage.tokens_in) {
                let product = i128::from(count).checked_mul(meter.amount)?;
                let divisor = i128::from(meter.per).checked_mul(scale)?;
                total = total.checked_add(product.checked_add(divisor / 2)?.checked_div(divisor)?)?;
            }
        }
        Some(total)
    }

    /// Returns the meter of the highest tier that a call with so many tokens in reaches.
    fn meter(&self, unit: Unit, tokens_in: i64) -> Option<&Meter> {
        let reached =
            self.meters.iter().filter(|meter| meter.unit == unit && (meter.above < tokens_in || meter.above <= 0));
        reached.max_by_key(|meter| meter.above)
    }
}

fn defaults() -> Result<Vec<Price>> {
    let mut prices: Vec<Price> = Vec::new();
    let wrong = |line: &str| DataFusionError::Internal(format!("default price: {line}"));
    let rows = DEFAULTS.lines().filter(|line| !line.starts_with('#')).skip(1);
    for line in rows {
        let fields: Vec<&str> = line.split(',').collect();
        let [provider, model, from, above, amounts @ ..] = fields.as_slice() else { return Err(wrong(line)) };
        let above = if above.is_empty() { 0 } else { above.parse().map_err(|_| wrong(line))? };
        let valid_from = Timestamp::parse("valid_from", &format!("{from}T00:00:00Z")).map_err(|_| wrong(line))?;
        let units = [Unit::TokensIn, Unit::TokensOut, Unit::CacheRead, Unit::CacheWrite, Unit::Reasoning];
        let mut meters = Vec::new();
        for (unit, amount) in units.into_iter().zip(amounts).filter(|(_, amount)| !amount.is_empty()) {
            let amount = Amount::parse("amount", amount).map_err(|_| wrong(line))?.scaled();
            meters.push(Meter { unit, per: 1_000_000, amount, above });
        }
        let price_id = format!("{DEFAULT_PREFIX}{provider}/{model}/{from}");
        match prices.iter_mut().find(|price| price.price_id == price_id) {
            Some(tier) => tier.meters.extend(meters),
            None => prices.push(Price {
                price_id,
                model: Some((*model).to_owned()),
                provider: Some((*provider).to_owned()),
                agent_id: None,
                currency: "USD".to_owned(),
                meters,
                valid_from,
                set_at: Timestamp::MIN,
                is_default: true,
            }),
        }
    }
    Ok(prices)
}

fn read_batch(batch: &RecordBatch, prices: &mut Vec<Price>) -> Result<()> {
    let text = |index: usize| cast(batch.column(index), &DataType::Utf8);
    let (ids, models, providers, agents, currencies) = (text(0)?, text(1)?, text(2)?, text(3)?, text(4)?);
    let meters = batch.column(5).as_list::<i32>();
    let valid_from = batch.column(6).as_primitive::<TimestampMicrosecondType>();
    let set_at = batch.column(7).as_primitive::<TimestampMicrosecondType>();
    let cell = |column: &dyn Array, row: usize| {
        (!column.is_null(row)).then(|| column.as_string::<i32>().value(row).to_owned())
    };
    for row in 0..batch.num_rows() {
        prices.push(Price {
            price_id: cell(&ids, row).unwrap_or_default(),
            model: cell(&models, row),
            provider: cell(&providers, row),
            agent_id: cell(&agents, row),
            currency: cell(&currencies, row).unwrap_or_default(),
            meters: if meters.is_null(row) { Vec::new() } else { read_meters(&meters.value(row))? },
            valid_from: Timestamp::from_micros(valid_from.value(row)).unwrap_or(Timestamp::MIN),
            set_at: Timestamp::from_micros(set_at.value(row)).unwrap_or(Timestamp::MIN),
            is_default: false,
        });
    }
    Ok(())
}

fn read_meters(list: &dyn Array) -> Result<Vec<Meter>> {
    let list = list.as_struct();
    let column = |name: &str, ty: &DataType| match list.column_by_name(name) {
        Some(column) => Ok(cast(column, ty)?),
        None => Err(DataFusionError::Internal(format!("a meter has no `{name}`"))),
    };
    let units = column("unit", &DataType::Utf8)?;
    let per = column("per", &DataType::Int64)?;
    let amounts = column("amount", &DataType::Decimal128(38, 12))?;
    let above = column("above", &DataType::Int64)?;
    let per = per.as_primitive::<Int64Type>();
    let above = above.as_primitive::<Int64Type>();
    let meters = (0..list.len()).filter_map(|row| {
        Some(Meter {
            unit: Unit::parse(units.as_string::<i32>().value(row))?,
            per: per.value(row).max(1),
            amount: amounts.as_primitive::<Decimal128Type>().value(row),
            above: if above.is_null(row) { 0 } else { above.value(row) },
        })
    });
    Ok(meters.collect())
}

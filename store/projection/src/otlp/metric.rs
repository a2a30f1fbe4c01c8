//! Metrics, as they are in a record of the log.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::any::Attributes;
use super::record::{Nanos, Resource, Scope};

/// Metrics of one resource.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceMetrics {
    /// The resource.
    pub resource: Resource,
    /// Metrics by library.
    pub scope_metrics: Vec<ScopeMetrics>,
}

/// Metrics of one library.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScopeMetrics {
    /// The library.
    pub scope: Scope,
    /// Its metrics.
    pub metrics: Vec<Metric>,
}

/// One metric: a name, and points of one of five kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its unit, by UCUM: `s`, `{token}`, `USD`.
    pub unit: String,
    /// Values as they were at a moment.
    pub gauge: Option<Points>,
    /// Sums over a time.
    pub sum: Option<Points>,
    /// Distributions over buckets with bounds.
    pub histogram: Option<Points>,
    /// Distributions over buckets whose bounds grow by a factor.
    pub exponential_histogram: Option<Points>,
    /// Distributions by quantiles.
    pub summary: Option<Points>,
}

/// Points of one kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Points {
    /// The points.
    pub data_points: Vec<DataPoint>,
    /// 1 is delta, 2 is cumulative.
    pub aggregation_temporality: i64,
    /// Whether the sum never falls.
    pub is_monotonic: bool,
}

/// One point of any kind; it has the members of its kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DataPoint {
    /// What it was counted by.
    pub attributes: Attributes,
    /// Since when it was counted.
    pub start_time_unix_nano: Nanos,
    /// When it was taken.
    pub time_unix_nano: Nanos,
    /// The value of a gauge or a sum.
    pub as_double: Option<Real>,
    /// The value of a gauge or a sum.
    pub as_int: Option<Whole>,
    /// Values in a distribution.
    pub count: Option<Whole>,
    /// Their sum.
    pub sum: Option<Real>,
    /// The least of them.
    pub min: Option<Real>,
    /// The largest of them.
    pub max: Option<Real>,
    /// How many are in each bucket.
    pub bucket_counts: Vec<Whole>,
    /// Upper bounds of all buckets but the last.
    pub explicit_bounds: Vec<Real>,
    /// Bounds of an exponential histogram grow by 2^(2^-scale).
    pub scale: i64,
    /// Values that are zero, or nearly.
    pub zero_count: Option<Whole>,
    /// Buckets above zero.
    pub positive: Option<Buckets>,
    /// Buckets below zero.
    pub negative: Option<Buckets>,
    /// Quantiles of a summary.
    pub quantile_values: Vec<Quantile>,
    /// The lowest bit says that nothing was recorded.
    pub flags: u64,
}

/// Buckets of an exponential histogram.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Buckets {
    /// Number of the first.
    pub offset: i64,
    /// How many values are in each.
    pub bucket_counts: Vec<Whole>,
}

/// One quantile of a summary.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Quantile {
    /// From 0, the least value, to 1, the largest.
    pub quantile: Option<Real>,
    /// The value there.
    pub value: Option<Real>,
}

/// A whole number, which OTLP/JSON writes as text. One that is none is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole(pub i64);

/// A number. One that is none, or is infinite, is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Real(pub Option<f64>);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        Ok(Self(number.unwrap_or_default()))
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        Ok(Self(number.filter(|number| number.is_finite())))
    }
}

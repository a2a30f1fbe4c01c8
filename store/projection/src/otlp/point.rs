//! [`Point`]: one point of a metric, as every kind is translated to, and what some counters tell of work.

use partitura_event::Fingerprint;
use serde_json::{Map, Value, json};

use super::any::{Any, Attributes};
use super::call::Artifact;
use super::metric::{Buckets, DataPoint, Metric, Points, Real, Whole};
use super::names;
use super::record::{Record, Resource, Scope};

/// Most points of one record; a row has a number below 256.
pub const POINTS_MAX: usize = 250;
/// Most artifacts that one point of a counter makes.
const COUNTED_MAX: i64 = 20;
/// Counters of things that leave no other trace, and what they count.
const COUNTED: &[(&str, &str)] = &[("claude_code.pull_request.count", "pull_request")];

/// One point of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Hash of what names it: resource, library, metric, labels and times.
    pub metric_id: String,
    /// Name of the metric.
    pub name: String,
    /// `gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`.
    pub kind: &'static str,
    /// Unit.
    pub unit: Option<String>,
    /// `delta` or `cumulative`.
    pub temporality: Option<&'static str>,
    /// Whether a sum never falls.
    pub monotonic: Option<bool>,
    /// When it was taken, µs since 1970.
    pub time: i64,
    /// Since when it was counted, µs since 1970.
    pub started_at: Option<i64>,
    /// Value of a gauge or a sum.
    pub value: Option<f64>,
    /// Values in a distribution.
    pub count: Option<i64>,
    /// Their sum.
    pub sum: Option<f64>,
    /// The least of them.
    pub min: Option<f64>,
    /// The largest of them.
    pub max: Option<f64>,
    /// Buckets or quantiles, as JSON.
    pub buckets: Option<String>,
    /// Attributes of the point, as JSON.
    pub labels: Option<String>,
    /// Attributes of the resource, as JSON.
    pub resource: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// The library.
    pub scope: Option<String>,
    /// Agent that is named, else the one whose service it is.
    pub agent_id: Option<String>,
    /// Task.
    pub task_id: Option<String>,
    /// Attempt.
    pub attempt_id: Option<String>,
    /// Thread.
    pub conversation_id: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// What it counts one by one.
    pub artifacts: Vec<Artifact>,
}

/// Returns the points of a record. `time` is that of the record: for points that know none.
pub fn points(record: &Record, time: i64) -> Vec<Point> {
    let mut found = Vec::new();
    for resource in &record.resource_metrics {
        for list in &resource.scope_metrics {
            for metric in list.metrics.iter().filter(|metric| !metric.name.trim().is_empty()) {
                for (kind, points) in kinds(metric) {
                    let of = Of { resource: &resource.resource, scope: &list.scope, metric, kind, points, time };
                    found.extend(points.data_points.iter().filter_map(|point| of.point(point)));
                }
            }
        }
    }
    found
}

fn kinds(metric: &Metric) -> impl Iterator<Item = (&'static str, &Points)> {
    let all = [
        ("gauge", &metric.gauge),
        ("sum", &metric.sum),
        ("histogram", &metric.histogram),
        ("exponential_histogram", &metric.exponential_histogram),
        ("summary", &metric.summary),
    ];
    all.into_iter().filter_map(|(kind, points)| Some((kind, points.as_ref()?)))
}

/// What a point is one of.
struct Of<'a> {
    resource: &'a Resource,
    scope: &'a Scope,
    metric: &'a Metric,
    kind: &'static str,
    points: &'a Points,
    time: i64,
}

impl Of<'_> {
    fn point(&self, point: &DataPoint) -> Option<Point> {
        if point.flags & 1 == 1 {
            return None;
        }
        let (resource, labels) = (object(&self.resource.attributes), object(&point.attributes));
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        let named = |names: &[&str]| {
            let find = |attributes: &Attributes| {
                names.iter().find_map(|name| attributes.get(name).and_then(Any::text).map(|text| text.into_owned()))
            };
            find(&point.attributes).or_else(|| find(&self.resource.attributes)).filter(|text| !text.trim().is_empty())
        };
        let is_number = matches!(self.kind, "gauge" | "sum");
        let real = |real: Option<Real>| real.and_then(|Real(number)| number);
        let service = named(&["service.name"]);
        let agent = named(names::AGENT).or_else(|| named(names::FRAMEWORK_AGENT));
        let whose = || service.as_deref().and_then(names::agent_of_service).map(str::to_owned);
        let mut made = Point {
            metric_id: self.id(point, &resource, &labels),
            name: self.metric.name.clone(),
            kind: self.kind,
            unit: text(&self.metric.unit),
            temporality: match self.points.aggregation_temporality {
                1 => Some("delta"),
                2 => Some("cumulative"),
                _ => None,
            },
            monotonic: (self.kind == "sum").then_some(self.points.is_monotonic),
            time: point.time_unix_nano.micros().unwrap_or(self.time),
            started_at: point.start_time_unix_nano.micros(),
            value: real(point.as_double).or(point.as_int.map(|Whole(number)| number as f64)).filter(|_| is_number),
            count: (!is_number).then(|| point.count.unwrap_or_default().0),
            sum: real(point.sum).filter(|_| !is_number),
            min: real(point.min).filter(|_| !is_number),
            max: real(point.max).filter(|_| !is_number),
            buckets: self.buckets(point).map(|buckets| buckets.to_string()),
            labels: (!labels.is_empty()).then(|| Value::Object(labels).to_string()),
            resource: (!resource.is_empty()).then(|| Value::Object(resource).to_string()),
            scope: text(&self.scope.name),
            agent_id: agent.or_else(whose),
            task_id: named(names::TASK).or_else(|| named(names::FRAMEWORK_TASK)),
            attempt_id: named(names::ATTEMPT),
            conversation_id: named(names::CONVERSATION),
            model: named(names::MODEL),
            service,
            artifacts: Vec::new(),
        };
        made.artifacts = counted(&made);
        Some(made)
    }

    /// Names the point: what is sent again is the same.
    fn id(&self, point: &DataPoint, resource: &Map<String, Value>, labels: &Map<String, Value>) -> String {
        let times = [point.start_time_unix_nano.0, point.time_unix_nano.0];
        let named = json!([resource, self.scope.name, self.metric.name, self.metric.unit, self.kind, labels, times]);
        format!("{:?}", Fingerprint::of(named.to_string().as_bytes()))
    }

    fn buckets(&self, point: &DataPoint) -> Option<Value> {
        let wholes = |counts: &[Whole]| counts.iter().map(|Whole(count)| Value::from(*count)).collect::<Value>();
        let side = |buckets: &Option<Buckets>| {
            let buckets = buckets.as_ref()?;
            Some(json!({"offset": buckets.offset, "counts": wholes(&buckets.bucket_counts)}))
        };
        match self.kind {
            "histogram" if !point.bucket_counts.is_empty() => {
                let bounds: Value = point.explicit_bounds.iter().map(|Real(bound)| json!(bound)).collect();
                Some(json!({"bounds": bounds, "counts": wholes(&point.bucket_counts)}))
            }
            "exponential_histogram" => {
                let mut made = json!({"scale": point.scale, "zero_count": point.zero_count.unwrap_or_default().0});
                for (name, buckets) in [("positive", side(&point.positive)), ("negative", side(&point.negative))] {
                    if let Some(buckets) = buckets {
                        made[name] = buckets;
                    }
                }
                Some(made)
            }
            "summary" if !point.quantile_values.is_empty() => {
                let real = |real: Option<Real>| real.and_then(|Real(number)| number).unwrap_or_default();
                let one = |one: &super::metric::Quantile| json!([real(one.quantile), one.value.and_then(|Real(n)| n)]);
                Some(json!({"quantiles": point.quantile_values.iter().map(one).collect::<Value>()}))
            }
            _ => None,
        }
    }
}

/// Returns what a counter counted since its last point. A cumulative one would have to be compared with that.
fn counted(point: &Point) -> Vec<Artifact> {
    let kind = COUNTED.iter().find(|(name, _)| *name == point.name).map(|(_, kind)| *kind);
    let (Some(kind), Some("delta"), Some(value)) = (kind, point.temporality, point.value) else { return Vec::new() };
    let made = |number: i64| Artifact {
        artifact_id: format!("{kind}/{}/{number}", point.metric_id),
        kind: kind.to_owned(),
        uri: None,
    };
    (1..=(value as i64).min(COUNTED_MAX)).map(made).collect()
}

fn object(attributes: &Attributes) -> Map<String, Value> {
    attributes.all().map(|(name, value)| (name.to_owned(), value.json())).collect()
}

//! `metrics`: one row per point of an OpenTelemetry metric, however often it is sent.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::metrics::METRICS as TABLE;

use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::otlp::{Point, Translator};
use crate::rows::Cells;
use crate::value::Value;

const METRIC_ID: u16 = column(&TABLE, "metric_id");
const NAME: u16 = column(&TABLE, "name");
const KIND: u16 = column(&TABLE, "kind");
const UNIT: u16 = column(&TABLE, "unit");
const TEMPORALITY: u16 = column(&TABLE, "temporality");
const MONOTONIC: u16 = column(&TABLE, "monotonic");
const TIME: u16 = column(&TABLE, "time");
const STARTED_AT: u16 = column(&TABLE, "started_at");
const VALUE: u16 = column(&TABLE, "value");
const COUNT: u16 = column(&TABLE, "count");
const SUM: u16 = column(&TABLE, "sum");
const MIN: u16 = column(&TABLE, "min");
const MAX: u16 = column(&TABLE, "max");
const BUCKETS: u16 = column(&TABLE, "buckets");
const LABELS: u16 = column(&TABLE, "labels");
const SOURCE: u16 = column(&TABLE, "source");
const SCOPE: u16 = column(&TABLE, "scope");
const AGENT_ID: u16 = column(&TABLE, "agent_id");
const TASK_ID: u16 = column(&TABLE, "task_id");
const ATTEMPT_ID: u16 = column(&TABLE, "attempt_id");
const CONVERSATION_ID: u16 = column(&TABLE, "conversation_id");
const MODEL: u16 = column(&TABLE, "model");
const RESOURCE: u16 = column(&TABLE, "resource");
const CONVENTION_VERSION: u16 = column(&TABLE, "convention_version");

/// The fold.
pub struct Metrics(pub &'static Translator);

impl Projection for Metrics {
    fn table(&self) -> &'static TableSpec {
        &TABLE
    }

    fn version(&self) -> u32 {
        self.0.version
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "otlp.metrics"
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        for point in &event.telemetry(self.0)?.points {
            let mut cells = cells(point);
            cells.push((SOURCE, Value::text(point.service.as_deref().unwrap_or(event.recorded.source.as_str()))));
            cells.push((CONVENTION_VERSION, Value::Int(self.0.version.into())));
            out.push(Effect::Replace(point.metric_id.clone(), cells));
        }
        Ok(())
    }
}

fn cells(point: &Point) -> Cells<'_> {
    let mut cells = vec![
        (METRIC_ID, Value::text(point.metric_id.as_str())),
        (NAME, Value::text(point.name.as_str())),
        (KIND, Value::text(point.kind)),
        (TIME, Value::Time(point.time)),
    ];
    let texts = [
        (UNIT, point.unit.as_deref()),
        (TEMPORALITY, point.temporality),
        (BUCKETS, point.buckets.as_deref()),
        (LABELS, point.labels.as_deref()),
        (SCOPE, point.scope.as_deref()),
        (AGENT_ID, point.agent_id.as_deref()),
        (TASK_ID, point.task_id.as_deref()),
        (ATTEMPT_ID, point.attempt_id.as_deref()),
        (CONVERSATION_ID, point.conversation_id.as_deref()),
        (MODEL, point.model.as_deref()),
        (RESOURCE, point.resource.as_deref()),
    ];
    cells.extend(texts.into_iter().filter_map(|(slot, text)| Some((slot, Value::text(text?)))));
    let numbers = [(VALUE, point.value), (SUM, point.sum), (MIN, point.min), (MAX, point.max)];
    cells.extend(numbers.into_iter().filter_map(|(slot, number)| Some((slot, Value::Float(number?)))));
    cells.extend(point.count.map(|count| (COUNT, Value::Int(count))));
    cells.extend(point.monotonic.map(|flag| (MONOTONIC, Value::Bool(flag))));
    cells.extend(point.started_at.map(|time| (STARTED_AT, Value::Time(time))));
    cells
}

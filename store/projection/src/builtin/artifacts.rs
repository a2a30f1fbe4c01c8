//! `artifacts`: what was made and what became of it.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::artifacts::ARTIFACTS;

use super::telemetry;
use crate::entity::{Cell, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::otlp::Translator;
use crate::otlp::call::Artifact;
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("attempt_id", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("kind", Read::Text),
    Field::new("uri", Read::Text),
    Field::new("lines_added", Read::Int),
    Field::new("lines_removed", Read::Int),
    Field::new("state", Read::Text),
];

const ARTIFACT_ID: u16 = column(&ARTIFACTS, "artifact_id");
const ATTEMPT_ID: u16 = column(&ARTIFACTS, "attempt_id");
const TASK_ID: u16 = column(&ARTIFACTS, "task_id");
const KIND: u16 = column(&ARTIFACTS, "kind");
const URI: u16 = column(&ARTIFACTS, "uri");
const STATE: u16 = column(&ARTIFACTS, "state");
const CREATED_AT: u16 = column(&ARTIFACTS, "created_at");
const CHANGED_AT: u16 = column(&ARTIFACTS, "changed_at");
const IMPLIED: u16 = column(&ARTIFACTS, "implied");
const ATTRIBUTES: u16 = column(&ARTIFACTS, "attributes");

/// Written by the first `artifact.recorded`.
const RECORDED: u16 = OWN_SLOTS;

/// The fold of artifacts.
pub struct Artifacts {
    fields: Fields,
    translator: &'static Translator,
}

impl Artifacts {
    /// Makes the fold, which reads telemetry by `translator`.
    pub fn new(translator: &'static Translator) -> Self {
        Self { fields: Fields::new(&ARTIFACTS, FIELDS, &["artifact_id"]), translator }
    }

    fn told<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let telemetry = event.telemetry(self.translator)?;
        for call in &telemetry.calls {
            let of = (call.task(), call.attempt_id.as_deref());
            out.extend(call.work.artifacts.iter().map(|artifact| left_behind(event, artifact, call.time, of)));
        }
        for point in &telemetry.points {
            let of = (point.task_id.as_deref(), point.attempt_id.as_deref());
            out.extend(point.artifacts.iter().map(|artifact| left_behind(event, artifact, point.time, of)));
        }
        Ok(())
    }
}

fn left_behind<'a>(
    event: &Event<'a>,
    artifact: &'a Artifact,
    at: i64,
    (task, attempt): (Option<&'a str>, Option<&'a str>),
) -> Effect<'a> {
    let told = vec![
        (KIND, Some(artifact.kind.as_str())),
        (URI, artifact.uri.as_deref()),
        (TASK_ID, task),
        (ATTEMPT_ID, attempt),
    ];
    let mut effect = telemetry::mention(event, (ARTIFACT_ID, &artifact.artifact_id), at, told);
    if let Effect::TouchAt(_, _, change) = &mut effect {
        change.cells.push(Cell { slot: RECORDED, keep: Keep::First, value: Value::Bool(true) });
    }
    effect
}

impl Projection for Artifacts {
    fn table(&self) -> &'static TableSpec {
        &ARTIFACTS
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "artifact.recorded" | "artifact.changed" | "otlp.metrics") || telemetry::tells_of_calls(kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        if event.kind().starts_with("otlp.") {
            return self.told(event, out);
        }
        let id = event.data.need("artifact_id")?;
        let key = id.to_lowercase();
        let mut change = self.fields.change(event.data)?;
        let mut first = |slot, value| change.cells.push(Cell { slot, keep: Keep::First, value });
        first(ARTIFACT_ID, Value::Text(id));
        if event.kind() == "artifact.recorded" {
            first(RECORDED, Value::Bool(true));
        }
        out.push(Effect::Touch(key, change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        telemetry::fill(entity, &mut cells, &[ATTEMPT_ID, TASK_ID, KIND, URI]);
        let recorded = entity.written_at(RECORDED);
        cells.extend(recorded.map(|time| (CREATED_AT, Value::Time(time))));
        cells.extend(entity.written_at(STATE).map(|time| (CHANGED_AT, Value::Time(time))));
        cells.push((IMPLIED, Value::Bool(recorded.is_none())));
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }
}

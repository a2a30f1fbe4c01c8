//! `artifacts`: what was made and what became of it.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::artifacts::ARTIFACTS;

use crate::entity::{Cell, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
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
}

impl Default for Artifacts {
    fn default() -> Self {
        Self { fields: Fields::new(&ARTIFACTS, FIELDS, &["artifact_id"]) }
    }
}

impl Projection for Artifacts {
    fn table(&self) -> &'static TableSpec {
        &ARTIFACTS
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "artifact.recorded" | "artifact.changed")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
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
        let recorded = entity.written_at(RECORDED);
        cells.extend(recorded.map(|time| (CREATED_AT, Value::Time(time))));
        cells.extend(entity.written_at(STATE).map(|time| (CHANGED_AT, Value::Time(time))));
        cells.push((IMPLIED, Value::Bool(recorded.is_none())));
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }
}

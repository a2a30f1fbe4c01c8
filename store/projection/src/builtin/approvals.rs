//! `approvals`: what was asked for and what was answered.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::approvals::APPROVALS;

use crate::entity::{Cell, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("task_id", Read::Text),
    Field::new("attempt_id", Read::Text),
    Field::new("action", Read::Text),
    Field::new("requested_by", Read::Text),
    Field::new("approvers", Read::Texts),
    Field::new("due", Read::Time),
    Field::new("decision", Read::Text),
    Field::renamed("by", "decided_by", Read::Text),
    Field::new("reason", Read::Text),
];

const APPROVAL_ID: u16 = column(&APPROVALS, "approval_id");
const DECISION: u16 = column(&APPROVALS, "decision");
const REQUESTED_AT: u16 = column(&APPROVALS, "requested_at");
const DECIDED_AT: u16 = column(&APPROVALS, "decided_at");
const IMPLIED: u16 = column(&APPROVALS, "implied");
const ATTRIBUTES: u16 = column(&APPROVALS, "attributes");

/// Written by the first `approval.requested`.
const REQUESTED: u16 = OWN_SLOTS;

/// The fold of approvals.
pub struct Approvals {
    fields: Fields,
}

impl Default for Approvals {
    fn default() -> Self {
        Self { fields: Fields::new(&APPROVALS, FIELDS, &["approval_id"]) }
    }
}

impl Projection for Approvals {
    fn table(&self) -> &'static TableSpec {
        &APPROVALS
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "approval.requested" | "approval.decided")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let id = event.data.need("approval_id")?;
        let key = id.to_lowercase();
        let mut change = self.fields.change(event.data)?;
        let mut first = |slot, value| change.cells.push(Cell { slot, keep: Keep::First, value });
        first(APPROVAL_ID, Value::Text(id));
        if event.kind() == "approval.requested" {
            first(REQUESTED, Value::Bool(true));
        }
        out.push(Effect::Touch(key, change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        let requested = entity.written_at(REQUESTED);
        cells.extend(requested.map(|time| (REQUESTED_AT, Value::Time(time))));
        cells.extend(entity.written_at(DECISION).map(|time| (DECIDED_AT, Value::Time(time))));
        cells.push((IMPLIED, Value::Bool(requested.is_none())));
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }
}

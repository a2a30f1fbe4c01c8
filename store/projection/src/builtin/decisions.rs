//! `decisions`: one row per event of the decision family.

use partitura_event::Problem;
use partitura_table::schema::decisions::DECISIONS;

use super::append::Append;
use crate::field::{Field, Read, column};
use crate::fold::Event;
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("decision_id", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("attempt_id", Read::Text),
    Field::new("agent_id", Read::Text),
    Field::new("experiment_id", Read::Text),
];

const KINDS: &[&str] = &[
    "assignment.proposed",
    "assignment.accepted",
    "assignment.overridden",
    "breaker.configured",
    "breaker.opened",
    "breaker.half_opened",
    "breaker.closed",
    "experiment.defined",
    "experiment.exposed",
    "experiment.concluded",
    "forecast.published",
    "alert.defined",
    "alert.raised",
    "alert.acknowledged",
    "alert.silenced",
    "alert.resolved",
];

const EVENT_ID: u16 = column(&DECISIONS, "event_id");
const SOURCE: u16 = column(&DECISIONS, "source");
const TYPE: u16 = column(&DECISIONS, "type");
const TIME: u16 = column(&DECISIONS, "time");

/// Describes the fold.
pub fn decisions() -> Append {
    Append::new(&DECISIONS, KINDS, FIELDS, &[], rest)
}

fn rest<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((EVENT_ID, Value::text(event.recorded.id.as_str())));
    cells.push((SOURCE, Value::text(event.recorded.source.as_str())));
    cells.push((TYPE, Value::text(event.recorded.kind.as_str())));
    cells.push((TIME, event.time()));
    Ok(())
}

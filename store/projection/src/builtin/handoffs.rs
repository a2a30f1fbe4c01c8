//! `handoffs`: one row per hand-off.

use partitura_event::Problem;
use partitura_table::schema::handoffs::HANDOFFS;

use super::append::Append;
use crate::field::{Field, Read, column};
use crate::fold::Event;
use crate::rows::Cells;

const FIELDS: &[Field] = &[
    Field::new("handoff_id", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("from_attempt", Read::Text),
    Field::new("to_agent", Read::Text),
    Field::new("reason", Read::Text),
    Field::new("summary", Read::Text),
    Field::new("context_refs", Read::Texts),
];

const TIME: u16 = column(&HANDOFFS, "time");

/// Describes the fold.
pub fn handoffs() -> Append {
    Append::new(&HANDOFFS, &["task.handed_off"], FIELDS, &[], rest)
}

fn rest<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((TIME, event.time()));
    Ok(())
}

//! [`Parked`]: an event that one fold could not take. Never skipped silently: a row of `parked_events`.

use partitura_event::{Position, Problem, Recorded, Timestamp, Workspace};
use partitura_table::schema::parked::PARKED_EVENTS;

use crate::field::column;
use crate::rows::Cells;
use crate::value::Value;

/// An event that one fold could not take, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    /// Where the event is.
    pub position: Position,
    /// The tenant.
    pub workspace: Workspace,
    /// The fold: the name of its table.
    pub projection: &'static str,
    /// Type of the event.
    pub kind: String,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Stable word for what was wrong; `panic` for a defect of ours.
    pub code: &'static str,
    /// What was wrong.
    pub error: String,
}

const POSITION: u16 = column(&PARKED_EVENTS, "position");
const PROJECTION: u16 = column(&PARKED_EVENTS, "projection");
const TYPE: u16 = column(&PARKED_EVENTS, "type");
const RECORDED_AT: u16 = column(&PARKED_EVENTS, "recorded_at");
const CODE: u16 = column(&PARKED_EVENTS, "code");
const ERROR: u16 = column(&PARKED_EVENTS, "error");

impl Parked {
    /// Parks an event for what a fold answered.
    pub fn new(event: &Recorded, projection: &'static str, problem: &Problem) -> Self {
        Self {
            position: event.position,
            workspace: event.workspace.clone(),
            projection,
            kind: event.kind.as_str().to_owned(),
            recorded_at: event.recorded_at,
            code: problem.code,
            error: problem.to_string(),
        }
    }

    /// Returns its row.
    pub fn cells(&self) -> Cells<'_> {
        vec![
            (POSITION, Value::Int(self.position.get().cast_signed())),
            (PROJECTION, Value::text(self.projection)),
            (TYPE, Value::text(self.kind.as_str())),
            (RECORDED_AT, Value::Time(self.recorded_at.micros())),
            (CODE, Value::text(self.code)),
            (ERROR, Value::text(self.error.as_str())),
        ]
    }
}

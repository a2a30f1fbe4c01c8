//! `parked_events`: events that a fold could not take.

use super::ColumnType::{Int, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per parked event and projection.
pub static PARKED_EVENTS: TableSpec = TableSpec {
    name: "parked_events",
    shape: Shape::Append,
    grain: "One row per event and projection that could not fold it.",
    about: "Nothing is skipped silently: an event that breaks a fold is shown here with its position and the error, \
            and is tried again by every rebuild. It is in `events` all the same.",
    key: &["position", "projection"],
    joins: &[Join { columns: &["position"], table: "events", to: &["position"] }],
    columns: &[
        ColumnSpec::required("position", Int, "Position of the event."),
        ColumnSpec::required("projection", Word, "Projection that could not fold it."),
        ColumnSpec::required("type", Word, "Type of the event."),
        ColumnSpec::required("recorded_at", Time, "When the log took the event."),
        ColumnSpec::required("code", Word, "Stable word for the error; `panic` for a defect of ours."),
        ColumnSpec::required("error", Text, "What was wrong."),
    ],
};

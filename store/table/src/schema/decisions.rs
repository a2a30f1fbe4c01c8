//! `decisions`: what Partitura or a user decided about the work.

use super::ColumnType::{Json, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per event of the decision family.
pub static DECISIONS: TableSpec = TableSpec {
    name: "decisions",
    shape: Shape::Append,
    grain: "One row per event of the decision family: assignments, breakers, experiments, forecasts, alerts.",
    about: "Decisions are events too. The fields that most of them share are columns; the rest is in `attributes`.",
    key: &["event_id", "source"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["_pos"], table: "events", to: &["position"] },
    ],
    columns: &[
        ColumnSpec::required("event_id", Text, "Id of the event."),
        ColumnSpec::required("source", Word, "Source of the event."),
        ColumnSpec::required("type", Word, "Kind of the event: `assignment.proposed`, `breaker.opened`, …"),
        ColumnSpec::required("time", Time, "When it was decided."),
        ColumnSpec::optional("decision_id", Text, "The decision."),
        ColumnSpec::optional("task_id", Text, "Task it is about."),
        ColumnSpec::optional("attempt_id", Text, "Attempt it is about."),
        ColumnSpec::optional("agent_id", Word, "Agent it is about."),
        ColumnSpec::optional("experiment_id", Text, "Experiment it is about."),
        ColumnSpec::optional("attributes", Json, "All other fields of the event."),
    ],
};

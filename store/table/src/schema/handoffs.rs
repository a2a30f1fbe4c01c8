//! `handoffs` and `otlp_handoffs`: work passed from one agent to another.

use super::ColumnType::{Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per hand-off.
pub static HANDOFFS: TableSpec = TableSpec {
    name: "handoffs",
    shape: Shape::Append,
    grain: "One row per `task.handed_off` event.",
    about: "Who passed which task to whom, why, and with which context.",
    key: &["handoff_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["from_attempt"], table: "attempts", to: &["attempt_id"] },
    ],
    columns: &[
        ColumnSpec::required("handoff_id", Text, "The hand-off."),
        ColumnSpec::required("task_id", Text, "Task that was handed off."),
        ColumnSpec::required("time", Time, "When."),
        ColumnSpec::optional("from_attempt", Text, "Attempt that ended with it."),
        ColumnSpec::optional("to_agent", Word, "Agent that took over."),
        ColumnSpec::optional("reason", Text, "Why."),
        ColumnSpec::optional("summary", Text, "What was done, what remains."),
        ColumnSpec::optional("context_refs", TextList, "What the next agent should read."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// One row per hand-off that telemetry tells of.
pub static OTLP_HANDOFFS: TableSpec = TableSpec {
    name: "otlp_handoffs",
    shape: Shape::Keyed,
    grain: "One row per hand-off that OpenTelemetry data tells of: a span of a hand-off, or of a tool that transfers.",
    about: "Translated from the raw records in `events`. `handoffs` has these rows too: read that, and this only for its \
            history.",
    key: &["handoff_id"],
    joins: &[
        Join { columns: &["handoff_id"], table: "interactions", to: &["interaction_id"] },
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["from_attempt"], table: "attempts", to: &["attempt_id"] },
    ],
    columns: &[
        ColumnSpec::required("handoff_id", Text, "The hand-off: the id of the call that it was."),
        ColumnSpec::optional("task_id", Text, "Task that was handed off, where one is known."),
        ColumnSpec::required("time", Time, "When."),
        ColumnSpec::optional("from_attempt", Text, "Attempt that ended with it."),
        ColumnSpec::optional("from_agent", Word, "Agent that passed it on."),
        ColumnSpec::required("to_agent", Word, "Agent that took over."),
        ColumnSpec::optional("reason", Text, "Why."),
        ColumnSpec::optional("conversation_id", Text, "Thread in which it happened."),
        ColumnSpec::optional("trace_id", Text, "Trace in which it happened."),
    ],
};

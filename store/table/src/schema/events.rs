//! `events`: the log itself, as a table.

use super::ColumnType::{Int, Json, Text, Time, Word};
use super::{ColumnSpec, Shape, TableSpec};

/// Every event, known type or not.
pub static EVENTS: TableSpec = TableSpec {
    name: "events",
    shape: Shape::Append,
    grain: "One row per event.",
    about: "The log itself: every event as it was accepted (after redaction), of known and unknown types. \
            All other tables are folds of this one.",
    key: &["position"],
    joins: &[],
    columns: &[
        ColumnSpec::required("position", Int, "Place in the log of the whole server, from 1. Equal to `_pos`."),
        ColumnSpec::required("id", Text, "The producer's id; unique per source, for ever."),
        ColumnSpec::required("source", Word, "Who produced the event."),
        ColumnSpec::required("type", Word, "Kind: `task.completed`, `interaction.recorded`, …"),
        ColumnSpec::optional("subject", Text, "What it is about, as the client wrote it."),
        ColumnSpec::required("stream", Text, "Unit of ordering and of optimistic concurrency: `task/42`."),
        ColumnSpec::required("stream_revision", Int, "Place in the stream, from 1."),
        ColumnSpec::required("time", Time, "When it happened, by the client's clock."),
        ColumnSpec::required("recorded_at", Time, "When the log took it; never decreases with `position`."),
        ColumnSpec::required("workspace", Word, "The tenant."),
        ColumnSpec::optional("actor", Word, "Who did it."),
        ColumnSpec::optional("causation", Text, "Id of the event that caused it."),
        ColumnSpec::optional("correlation", Text, "Id shared by all events of one piece of work."),
        ColumnSpec::optional("traceparent", Text, "W3C trace context."),
        ColumnSpec::required("data", Json, "The event's own fields, a JSON object."),
    ],
};

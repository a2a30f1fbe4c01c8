//! `artifacts`: what the work left behind: commits, pull requests, files.

use super::ColumnType::{Bool, Int, Json, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per artifact.
pub static ARTIFACTS: TableSpec = TableSpec {
    name: "artifacts",
    shape: Shape::Keyed,
    grain: "One row per artifact.",
    about: "Commits, pull requests, files and other things that attempts produced, with their latest state.",
    key: &["artifact_id"],
    joins: &[Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] }],
    columns: &[
        ColumnSpec::required("artifact_id", Text, "The artifact. Compared without regard to case."),
        ColumnSpec::optional("attempt_id", Text, "Attempt that produced it."),
        ColumnSpec::optional("task_id", Text, "Task it was produced for, where the event names one."),
        ColumnSpec::optional("kind", Word, "`commit`, `pull_request`, `file`, …"),
        ColumnSpec::optional("uri", Text, "Where it is."),
        ColumnSpec::optional("lines_added", Int, "Lines added."),
        ColumnSpec::optional("lines_removed", Int, "Lines removed."),
        ColumnSpec::optional("state", Word, "Latest state: `merged`, `reverted`, …"),
        ColumnSpec::optional("created_at", Time, "When it was recorded."),
        ColumnSpec::optional("changed_at", Time, "When it took its latest state."),
        ColumnSpec::required("implied", Bool, "Whether it changed but was never recorded (yet)."),
        ColumnSpec::optional("attributes", Json, "Fields of its events that no column holds, the latest of each."),
    ],
};

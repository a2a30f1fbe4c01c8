//! `approvals`: what had to wait for somebody's yes.

use super::ColumnType::{Bool, Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per request for approval.
pub static APPROVALS: TableSpec = TableSpec {
    name: "approvals",
    shape: Shape::Keyed,
    grain: "One row per request for approval.",
    about: "Who was asked for which approval, for how long it was waited, and what was answered. The human minutes of \
            a task are those between `requested_at` and `decided_at`.",
    key: &["approval_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] },
    ],
    columns: &[
        ColumnSpec::required("approval_id", Text, "The request. Compared without regard to case."),
        ColumnSpec::optional("task_id", Text, "Task that waits."),
        ColumnSpec::optional("attempt_id", Text, "Attempt that waits."),
        ColumnSpec::optional("action", Text, "What is to be allowed."),
        ColumnSpec::optional("requested_by", Word, "Who asks."),
        ColumnSpec::optional("approvers", TextList, "Who may answer."),
        ColumnSpec::optional("due", Time, "Until when an answer is needed."),
        ColumnSpec::optional("requested_at", Time, "When it was asked for."),
        ColumnSpec::optional("decided_at", Time, "When it was answered."),
        ColumnSpec::optional(
            "decision",
            Word,
            "`approved`, `rejected`, `expired` or `withdrawn`; null while it waits.",
        ),
        ColumnSpec::optional("decided_by", Word, "Who answered."),
        ColumnSpec::optional("reason", Text, "Why."),
        ColumnSpec::required("implied", Bool, "Whether it was decided but never requested (yet)."),
        ColumnSpec::optional("attributes", Json, "Fields of its events that no column holds, the latest of each."),
    ],
};

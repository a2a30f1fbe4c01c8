//! `attempts`: one agent working on one task.

use super::ColumnType::{Bool, Float, Int, Json, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// The explicit attempts; the view of the same name adds those implied by task events.
pub static ATTEMPTS: TableSpec = TableSpec {
    name: "attempts",
    shape: Shape::Keyed,
    grain: "One row per attempt: one agent (in one version and role) working on one task.",
    about: "The unit of capability. A task without `attempt.started` events has its attempts implied by its task \
            events; they are shown next to the explicit ones with `attempt_id` = `{task_id}#{number}`.",
    key: &["attempt_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["agent_id"], table: "agents", to: &["agent_id"] },
    ],
    columns: &[
        ColumnSpec::required("attempt_id", Text, "The attempt. Compared without regard to case."),
        ColumnSpec::optional("task_id", Text, "Task it works on."),
        ColumnSpec::optional("agent_id", Word, "Agent that works."),
        ColumnSpec::optional("agent_version", Word, "Version of the agent."),
        ColumnSpec::optional("role", Word, "`lead`, `worker` or `reviewer`."),
        ColumnSpec::optional("number", Int, "Which attempt at the task it is, from 1."),
        ColumnSpec::optional("cause", Word, "`first`, `retry`, `failover`, `parallel` or `handoff`."),
        ColumnSpec::optional("retry_of", Text, "Attempt that it repeats."),
        ColumnSpec::optional("decision_id", Text, "Assignment decision that started it."),
        ColumnSpec::optional("lease_until", Time, "Until when the agent's slot is reserved."),
        ColumnSpec::required("status", Word, "`running` or `ended`."),
        ColumnSpec::optional("started_at", Time, "When it began."),
        ColumnSpec::optional("ended_at", Time, "When it ended."),
        ColumnSpec::optional(
            "result",
            Word,
            "`succeeded`, `partial`, `failed`, `abandoned`, `superseded` or `censored`; null while it runs.",
        ),
        ColumnSpec::optional("fraction", Float, "Part of the work that was done, 0 to 1."),
        ColumnSpec::optional("error_class", Word, "Class of the error that ended it."),
        ColumnSpec::optional("retryable", Bool, "Whether the error is worth a retry."),
        ColumnSpec::required("implied", Bool, "Whether it was spoken of but no `attempt.started` came (yet)."),
        ColumnSpec::optional("attributes", Json, "Fields of its events that no column holds, the latest of each."),
    ],
};

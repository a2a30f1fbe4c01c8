//! `tasks`: what there is to do, where it stands and how long it stood where.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use super::ColumnType::{Arrow, Bool, Float, Int, Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// The base of `tasks`; the verdict columns are added by a view.
pub static TASKS: TableSpec = TableSpec {
    name: "tasks",
    shape: Shape::Keyed,
    grain: "One row per task.",
    about: "Every task that was created or spoken of: its latest fields, its status, and the minutes it spent in \
            each status so far. Minutes count closed intervals only; the open one began at `status_since`. Minutes of \
            waiting for people are in `approvals`.",
    key: &["task_id"],
    joins: &[Join { columns: &["parent_id"], table: "tasks", to: &["task_id"] }],
    columns: &[
        ColumnSpec::required("task_id", Text, "The task. Compared without regard to case."),
        ColumnSpec::optional("title", Text, "Short name."),
        ColumnSpec::optional("text", Text, "The whole description."),
        ColumnSpec::optional("type", Word, "Task type, as declared: `bugfix`, `review`, …"),
        ColumnSpec::optional("project_id", Word, "Project it belongs to."),
        ColumnSpec::optional("team", Word, "Team that owns it."),
        ColumnSpec::optional("requester", Word, "Who asked for it."),
        ColumnSpec::optional("repository", Word, "Repository it changes."),
        ColumnSpec::optional("language", Word, "Programming or human language."),
        ColumnSpec::optional("complexity", Word, "Complexity, as declared."),
        ColumnSpec::optional("priority", Int, "0 (low), 1 (normal), 2 (high), 3 (urgent) or 4 (critical)."),
        ColumnSpec::optional("estimate_minutes", Float, "Estimated effort in minutes."),
        ColumnSpec::optional("estimate_low", Float, "Lower bound of the estimate, in minutes."),
        ColumnSpec::optional("estimate_high", Float, "Upper bound of the estimate, in minutes."),
        ColumnSpec::optional("points", Float, "Story points."),
        ColumnSpec::optional("due", Time, "When it should be done."),
        ColumnSpec::optional("parent_id", Text, "Task of which it is a part."),
        ColumnSpec::optional("depends_on", TextList, "Tasks that must be done before."),
        ColumnSpec::optional("required", TextList, "Capabilities that an agent needs for it."),
        ColumnSpec::optional("labels", Json, "Labels, as sent."),
        ColumnSpec::required(
            "status",
            Word,
            "`open`, `assigned`, `in_progress`, `blocked`, `paused`, `completed`, `failed` (given up) or `cancelled`.",
        ),
        ColumnSpec::required("status_since", Time, "When it took this status."),
        ColumnSpec::required(
            "created_at",
            Time,
            "When it was created; for an implied task, the time of the earliest event that speaks of it.",
        ),
        ColumnSpec::optional("first_started_at", Time, "When work began for the first time."),
        ColumnSpec::optional("ended_at", Time, "When it was completed, given up or cancelled; null while it is not."),
        ColumnSpec::required("updated_at", Time, "Time of its latest task event."),
        ColumnSpec::optional("first_agent_id", Word, "Agent that worked on it first (or was assigned first)."),
        ColumnSpec::optional("agent_id", Word, "Agent that has it now, or had it last."),
        ColumnSpec::optional("decision_id", Text, "Assignment decision that gave it to the agent."),
        ColumnSpec::required("handoffs", Int, "How often it was handed from one agent to another."),
        ColumnSpec::required("reopened", Int, "How often it was reopened after its end."),
        ColumnSpec::optional("percent", Float, "Progress reported last, 0 to 100."),
        ColumnSpec::optional("note", Text, "Note of the latest progress report."),
        ColumnSpec::required("queue_minutes", Float, "Minutes as `open` or `assigned`."),
        ColumnSpec::required("active_minutes", Float, "Minutes as `in_progress`."),
        ColumnSpec::required("blocked_minutes", Float, "Minutes as `blocked`."),
        ColumnSpec::required("paused_minutes", Float, "Minutes as `paused`."),
        ColumnSpec::optional("actual_minutes", Float, "Effort in minutes, as reported on completion."),
        ColumnSpec::optional("blocked_by", TextList, "What the latest `task.blocked` named."),
        ColumnSpec::optional("reason", Text, "Reason given with the latest change of status, if one was given."),
        ColumnSpec::optional("summary", Text, "Summary given on completion or hand-off, the latest."),
        ColumnSpec::optional("error", Text, "Error given when it was given up."),
        ColumnSpec::optional("censored", Word, "Why it was cut off before its end: `budget`, `time` or `limit`."),
        ColumnSpec::required("explicit_attempts", Bool, "Whether `attempt.started` events speak of it."),
        ColumnSpec::required("implied", Bool, "Whether it was spoken of but no `task.created` came (yet)."),
        ColumnSpec::optional("attributes", Json, "Fields of its events that no column holds, the latest of each."),
        ColumnSpec::optional(
            "_implied",
            Arrow(implied_attempts),
            "Attempts implied by its task events; empty when it has explicit ones. The `attempts` view unnests it.",
        ),
    ],
};

/// Returns the Arrow fields of one implied attempt, in the order of the struct.
pub fn implied_attempt_fields() -> Fields {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Fields::from(vec![
        Field::new("attempt_id", DataType::Utf8, true),
        Field::new("number", DataType::Int64, true),
        Field::new("agent_id", DataType::Utf8, true),
        Field::new("cause", DataType::Utf8, true),
        Field::new("started_at", time.clone(), true),
        Field::new("ended_at", time, true),
        Field::new("result", DataType::Utf8, true),
    ])
}

/// Returns the type of `tasks._implied`.
fn implied_attempts() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(implied_attempt_fields()), true)))
}

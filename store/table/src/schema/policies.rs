//! `verdict_policies`, `workspace_settings`, `sla_definitions` and `kpi_definitions`: the workspace's own rules.

use super::ColumnType::{Float, Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Shape, TableSpec};

/// One row per task type that has a policy, and one for all others.
pub static VERDICT_POLICIES: TableSpec = TableSpec {
    name: "verdict_policies",
    shape: Shape::Keyed,
    grain: "One row per task type with a verdict policy of its own, and one with a null type for all others.",
    about: "Which evaluators decide, in which order, and what success means. Without a row: human, then code, then \
            model, then the attempt's own result.",
    key: &["task_type"],
    joins: &[],
    columns: &[
        ColumnSpec::optional("task_type", Word, "Task type; null means all that have no row of their own."),
        ColumnSpec::optional("evaluators", TextList, "Evaluators in the order of their weight (`order` of the event)."),
        ColumnSpec::optional("success", Json, "Condition over outcomes and artifacts, as sent."),
        ColumnSpec::optional("settle_minutes", Float, "How long after its end a verdict stays pending, in minutes."),
        ColumnSpec::required("set_at", Time, "When it was set."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// One row at most.
pub static WORKSPACE_SETTINGS: TableSpec = TableSpec {
    name: "workspace_settings",
    shape: Shape::Keyed,
    grain: "One row: the settings of the workspace. None when nothing was set.",
    about: "Time zone and first day of the week, as date functions use them; currency in which costs are shown.",
    key: &[],
    joins: &[],
    columns: &[
        ColumnSpec::optional("name", Text, "Name to show."),
        ColumnSpec::optional("currency", Word, "Currency in which costs are shown."),
        ColumnSpec::optional("time_zone", Text, "IANA name of the time zone; UTC when null."),
        ColumnSpec::optional("week_start", Text, "First day of the week; monday when null."),
        ColumnSpec::required("set_at", Time, "When it was set."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// One row per service level.
pub static SLA_DEFINITIONS: TableSpec = TableSpec {
    name: "sla_definitions",
    shape: Shape::Keyed,
    grain: "One row per service level.",
    about: "What was promised; the view `slas` shows what was kept.",
    key: &["sla_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required("sla_id", Text, "The service level. Compared without regard to case."),
        ColumnSpec::required("metric", Word, "`start_minutes`, `complete_minutes` or `success_rate`."),
        ColumnSpec::optional("threshold", Float, "Bound that a task must keep, in the unit of the metric."),
        ColumnSpec::required("objective", Float, "Part of the tasks that must keep it, 0 to 1."),
        ColumnSpec::optional("period", Word, "`day`, `week`, `month`, `quarter`, `year` or `total`."),
        ColumnSpec::optional("time_zone", Word, "Time zone in which periods begin."),
        ColumnSpec::optional("team", Word, "Team that it covers; null means all."),
        ColumnSpec::optional("project_id", Word, "Project that it covers; null means all."),
        ColumnSpec::optional("agent_id", Word, "Agent that it covers; null means all."),
        ColumnSpec::optional("task_type", Word, "Task type that it covers; null means all."),
        ColumnSpec::required("set_at", Time, "When it was set."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// One row per key figure.
pub static KPI_DEFINITIONS: TableSpec = TableSpec {
    name: "kpi_definitions",
    shape: Shape::Keyed,
    grain: "One row per key figure.",
    about: "Figures that the workspace wants to see, each a query with a target.",
    key: &["kpi_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required("kpi_id", Text, "The key figure. Compared without regard to case."),
        ColumnSpec::required("sql", Text, "Query that gives it."),
        ColumnSpec::optional("target", Float, "What it should be."),
        ColumnSpec::optional("direction", Word, "`up` when more is better, `down` when less is."),
        ColumnSpec::optional("description", Text, "What it says, in words."),
        ColumnSpec::required("set_at", Time, "When it was defined."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

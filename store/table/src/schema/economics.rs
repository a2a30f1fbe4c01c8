//! `charges` and `budgets`: money that was spent as a whole, and money that may be spent.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::ColumnType::{Arrow, Json, Money, Text, Time, Word};
use super::{ColumnSpec, Shape, TableSpec};

/// One row per charge.
pub static CHARGES: TableSpec = TableSpec {
    name: "charges",
    shape: Shape::Keyed,
    grain: "One row per charge: a seat, a subscription, an invoice.",
    about: "Cost that no single interaction carries.",
    key: &["charge_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required("charge_id", Text, "The charge. Compared without regard to case."),
        ColumnSpec::required("amount", Money, "How much."),
        ColumnSpec::required("currency", Word, "Currency of `amount`."),
        ColumnSpec::required("period_start", Time, "Begin of the period that it covers."),
        ColumnSpec::required("period_end", Time, "End of that period, exclusive."),
        ColumnSpec::optional("allocation", Word, "How it is spread over the work: `time`, `usage`, `tasks`, `none`."),
        ColumnSpec::optional("agent_id", Word, "Agent that it is for; null means any."),
        ColumnSpec::optional("provider", Word, "Provider that charged it."),
        ColumnSpec::optional("team", Word, "Team that it is for; null means any."),
        ColumnSpec::optional("project_id", Word, "Project that it is for; null means any."),
        ColumnSpec::optional("description", Text, "What it is for, in words."),
        ColumnSpec::required("time", Time, "When it was charged."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// One row per budget.
pub static BUDGETS: TableSpec = TableSpec {
    name: "budgets",
    shape: Shape::Keyed,
    grain: "One row per budget.",
    about: "What may be spent, by whom, in which period, and what happens at the thresholds.",
    key: &["budget_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required("budget_id", Text, "The budget. Compared without regard to case."),
        ColumnSpec::required("amount", Money, "How much may be spent per period."),
        ColumnSpec::required("currency", Word, "Currency of `amount`."),
        ColumnSpec::optional("period", Word, "`day`, `week`, `month`, `quarter`, `year` or `total`."),
        ColumnSpec::optional("time_zone", Word, "Time zone in which periods begin."),
        ColumnSpec::optional("team", Word, "Team that it covers; null means all."),
        ColumnSpec::optional("project_id", Word, "Project that it covers; null means all."),
        ColumnSpec::optional("agent_id", Word, "Agent that it covers; null means all."),
        ColumnSpec::optional("task_type", Word, "Task type that it covers; null means all."),
        ColumnSpec::optional("thresholds", Arrow(floats), "Parts of the amount at which an alert is due."),
        ColumnSpec::optional("on_exceeded", Word, "`warn` or `exclude`."),
        ColumnSpec::required("set_at", Time, "When it was set."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// Returns the type of `budgets.thresholds`.
fn floats() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Float64, true)))
}

//! `metrics`: points of OpenTelemetry metrics.

use super::ColumnType::{Bool, Float, Int, Json, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per point.
pub static METRICS: TableSpec = TableSpec {
    name: "metrics",
    shape: Shape::Keyed,
    grain: "One row per point of a metric: one name, one set of labels, one time.",
    about: "Translated from the raw records in `events` (`otlp.metrics`). A point that is sent again is one row. What metrics \
            say of tokens and cost, spans and events say too: never add `metrics` to `interactions`. Values of `delta` \
            points add up; of `cumulative` ones the latest since `started_at` counts.",
    key: &["metric_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] },
        Join { columns: &["agent_id"], table: "agents", to: &["agent_id"] },
        Join { columns: &["_pos"], table: "events", to: &["position"] },
    ],
    columns: &[
        ColumnSpec::required("metric_id", Text, "The point: a hash of resource, library, metric, labels and times."),
        ColumnSpec::required(
            "name",
            Word,
            "Name of the metric: `claude_code.token.usage`, `gen_ai.client.token.usage`, …",
        ),
        ColumnSpec::required("kind", Word, "`gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`."),
        ColumnSpec::optional("unit", Word, "Unit, by UCUM: `s`, `{token}`, `USD`, …"),
        ColumnSpec::optional(
            "temporality",
            Word,
            "`delta`: since the point before; `cumulative`: since `started_at`; null for gauges and summaries.",
        ),
        ColumnSpec::optional("monotonic", Bool, "Of sums: whether it never falls."),
        ColumnSpec::required("time", Time, "When the point was taken."),
        ColumnSpec::optional("started_at", Time, "Since when it was counted."),
        ColumnSpec::optional("value", Float, "Value of a gauge or a sum."),
        ColumnSpec::optional("count", Int, "Of distributions: how many values."),
        ColumnSpec::optional("sum", Float, "Of distributions: the sum of the values."),
        ColumnSpec::optional("min", Float, "Of distributions: the least value."),
        ColumnSpec::optional("max", Float, "Of distributions: the largest value."),
        ColumnSpec::optional(
            "buckets",
            Json,
            "Of distributions: `bounds` and `counts`; or `scale`, `zero_count`, `positive` and `negative` with `offset` and \
             `counts`; or `quantiles` as pairs.",
        ),
        ColumnSpec::optional("labels", Json, "Attributes of the point."),
        ColumnSpec::required("source", Word, "Service that sent it."),
        ColumnSpec::optional("scope", Word, "Library that measured."),
        ColumnSpec::optional(
            "agent_id",
            Word,
            "Agent that the labels or the resource name, else the one whose service it is.",
        ),
        ColumnSpec::optional("task_id", Text, "Task that they name."),
        ColumnSpec::optional("attempt_id", Text, "Attempt that they name."),
        ColumnSpec::optional("conversation_id", Text, "Thread that they name."),
        ColumnSpec::optional("model", Word, "Model that they name."),
        ColumnSpec::optional("resource", Json, "Attributes of the resource."),
        ColumnSpec::required("convention_version", Int, "Version of the translation that made the row."),
    ],
};

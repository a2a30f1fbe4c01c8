//! `outcomes` and `outcome_supersessions`: scores, labels and successes, each by a named evaluator.

use super::ColumnType::{Bool, Float, Json, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per judgement.
pub static OUTCOMES: TableSpec = TableSpec {
    name: "outcomes",
    shape: Shape::Append,
    grain: "One row per judgement (`outcome.recorded`, `outcome.preferred`, `feedback.given`), superseded ones \
            included.",
    about: "What evaluators said about attempts, tasks, interactions, traces, conversations, decisions and experiments. An \
            outcome is out of force when `outcome_supersessions` has a row with its `outcome_id`; verdicts leave it \
            out. Feedback is an outcome by a human: the thumb is its success and label, the rating its value.",
    key: &["source", "outcome_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] },
        Join { columns: &["interaction_id"], table: "interactions", to: &["interaction_id"] },
        Join { columns: &["_pos"], table: "events", to: &["position"] },
    ],
    columns: &[
        ColumnSpec::required("outcome_id", Text, "The outcome: as sent, else the id of the event."),
        ColumnSpec::required("type", Word, "Type of the event."),
        ColumnSpec::required("source", Word, "Source of the event."),
        ColumnSpec::required("time", Time, "When it was judged."),
        ColumnSpec::required(
            "name",
            Word,
            "What was judged: `tests`, `quality`, …; `feedback` and `preference` where the event has no name.",
        ),
        ColumnSpec::optional("value", Float, "Score."),
        ColumnSpec::optional("label", Word, "Label."),
        ColumnSpec::optional("success", Bool, "Whether it counts as a success."),
        ColumnSpec::required("evaluator", Word, "`human`, `code` or `model`."),
        ColumnSpec::optional("evaluator_id", Word, "Who or what judged; the user who gave feedback."),
        ColumnSpec::optional("evaluator_version", Word, "Version of the judge."),
        ColumnSpec::optional("attempt_id", Text, "Attempt that was judged."),
        ColumnSpec::optional("task_id", Text, "Task that was judged."),
        ColumnSpec::optional("interaction_id", Text, "Interaction that was judged."),
        ColumnSpec::optional("conversation_id", Text, "Conversation that was judged."),
        ColumnSpec::optional("decision_id", Text, "Decision that was judged."),
        ColumnSpec::optional("experiment_id", Text, "Experiment that was judged."),
        ColumnSpec::optional(
            "trace_id",
            Text,
            "Trace that was judged; its calls are the interactions with this `trace_id`.",
        ),
        ColumnSpec::optional("message_id", Text, "Message that feedback is about."),
        ColumnSpec::optional("supersedes", Text, "`outcome_id` that this one puts out of force."),
        ColumnSpec::optional("preferred_over", Text, "What was judged worse in a comparison."),
        ColumnSpec::optional("explanation", Text, "Why."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

/// One row per outcome that was put out of force.
pub static OUTCOME_SUPERSESSIONS: TableSpec = TableSpec {
    name: "outcome_supersessions",
    shape: Shape::Append,
    grain: "One row per statement that an outcome counts no more.",
    about: "From `outcome.superseded`, and from `supersedes` of a newer outcome. An outcome may be put out of force \
            more than once, and before it is known.",
    key: &["outcome_id"],
    joins: &[Join { columns: &["_pos"], table: "events", to: &["position"] }],
    columns: &[
        ColumnSpec::required("outcome_id", Text, "Outcome that counts no more."),
        ColumnSpec::optional("by", Text, "Outcome that counts instead."),
        ColumnSpec::optional("reason", Text, "Why."),
        ColumnSpec::required("time", Time, "When that was said."),
    ],
};

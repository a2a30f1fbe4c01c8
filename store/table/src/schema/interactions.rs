//! `interactions` and `otlp_interactions`: calls of models, tools, agents and retrievers.

use super::ColumnType::{Float, Int, Json, Money, Text, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// What is known of a call, however it was told.
const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::required("interaction_id", Text, "The call."),
    ColumnSpec::required("kind", Word, "`llm`, `tool`, `agent`, `retrieval`, `embedding`, `workflow`, `memory`."),
    ColumnSpec::required("time", Time, "Time of the event."),
    ColumnSpec::optional("started_at", Time, "When the call began."),
    ColumnSpec::optional("agent_id", Word, "Agent that called."),
    ColumnSpec::optional("attempt_id", Text, "Attempt of which it is a part."),
    ColumnSpec::optional("task_id", Text, "Task of which it is a part."),
    ColumnSpec::optional("conversation_id", Text, "Thread it belongs to."),
    ColumnSpec::optional("trace_id", Text, "Trace it belongs to."),
    ColumnSpec::optional("parent_id", Text, "Interaction that caused it."),
    ColumnSpec::optional("user_id", Word, "Person it was done for."),
    ColumnSpec::optional("provider", Word, "Provider of the model."),
    ColumnSpec::optional("model", Word, "Model, as the client named it."),
    ColumnSpec::optional("prompt_id", Word, "Prompt template."),
    ColumnSpec::optional("prompt_version", Word, "Version of the template."),
    ColumnSpec::optional("input", Text, "First 512 characters of what went in."),
    ColumnSpec::optional("output", Text, "First 512 characters of what came out."),
    ColumnSpec::optional("input_chars", Int, "Characters that went in."),
    ColumnSpec::optional("output_chars", Int, "Characters that came out."),
    ColumnSpec::optional("tool_name", Word, "Tool that was called."),
    ColumnSpec::optional("latency_ms", Float, "Duration in milliseconds."),
    ColumnSpec::optional("ttft_ms", Float, "Milliseconds to the first token."),
    ColumnSpec::optional("tokens_in", Int, "Input tokens, those read from and written to a cache included."),
    ColumnSpec::optional("tokens_out", Int, "Output tokens, reasoning included."),
    ColumnSpec::optional("tokens_cache_read", Int, "Input tokens read from a cache."),
    ColumnSpec::optional("tokens_cache_write", Int, "Input tokens written to a cache."),
    ColumnSpec::optional("tokens_reasoning", Int, "Output tokens spent on reasoning."),
    ColumnSpec::optional("cost", Money, "Cost as the client reported it."),
    ColumnSpec::optional("currency", Word, "Currency of `cost`."),
    ColumnSpec::optional("status", Word, "How it ended: `ok`, `error`, …"),
    ColumnSpec::optional("finish_reason", Word, "Why the model stopped."),
    ColumnSpec::optional("error", Text, "Error text."),
    ColumnSpec::optional("retry_of", Text, "Interaction that it repeats."),
    ColumnSpec::optional("attributes", Json, "What the event or span says that no column holds."),
];

/// One row per call.
pub static INTERACTIONS: TableSpec = TableSpec {
    name: "interactions",
    shape: Shape::Append,
    grain: "One row per `interaction.recorded` event: one model, tool, agent, retrieval or embedding call.",
    about: "Calls with their tokens, times and reported cost. `input` and `output` are previews of at most 512 \
            characters; the whole text is in `documents.text` and in `events.data`. Derived cost is in `costs`.",
    key: &["interaction_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] },
        Join { columns: &["agent_id"], table: "agents", to: &["agent_id"] },
        Join { columns: &["_pos"], table: "events", to: &["position"] },
    ],
    columns: COLUMNS,
};

/// One row per call that telemetry tells of.
pub static OTLP_INTERACTIONS: TableSpec = TableSpec {
    name: "otlp_interactions",
    shape: Shape::Keyed,
    grain: "One row per call that OpenTelemetry data tells of: a span, an event of a log, or both together.",
    about: "Translated from the raw records in `events` (`otlp.traces`, `otlp.logs`). A span that comes again, and a log \
            event that tells of the same call as a span, are one row. `interactions` has these rows too: read that, \
            and this only for its history. `attributes` names the convention it was translated by. A call of kind `unknown` \
            has not come (yet): others say that they are within it; `interactions` leaves it out.",
    key: &["interaction_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] },
        Join { columns: &["agent_id"], table: "agents", to: &["agent_id"] },
        Join { columns: &["_pos"], table: "events", to: &["position"] },
    ],
    columns: COLUMNS,
};

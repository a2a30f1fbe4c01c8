//! `agents` and `agent_aliases`: who does the work, and under which names.

use super::ColumnType::{Bool, Float, Int, Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per agent.
pub static AGENTS: TableSpec = TableSpec {
    name: "agents",
    shape: Shape::Keyed,
    grain: "One row per agent.",
    about: "What agents declare about themselves, their limits and their latest heartbeat. What they were observed \
            to do is in the facts, never here.",
    key: &["agent_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required("agent_id", Text, "The agent. Compared without regard to case."),
        ColumnSpec::optional("name", Text, "Name to show."),
        ColumnSpec::optional("version", Word, "Declared version."),
        ColumnSpec::optional("provider", Word, "Provider."),
        ColumnSpec::optional("model", Word, "Model it runs on."),
        ColumnSpec::optional("capabilities", TextList, "Declared capabilities."),
        ColumnSpec::optional("concurrency", Int, "How many attempts it takes at once."),
        ColumnSpec::optional("labels", Json, "Labels, as sent."),
        ColumnSpec::required("status", Word, "`active` or `retired`."),
        ColumnSpec::optional("registered_at", Time, "When it was registered first."),
        ColumnSpec::optional("retired_at", Time, "When it was retired, unless it was registered again later."),
        ColumnSpec::optional("replaced_by", Text, "Agent that takes the place of the retired one."),
        ColumnSpec::required("first_seen_at", Time, "Time of the earliest event that speaks of it."),
        ColumnSpec::optional("limit_kind", Word, "Latest limit that was reported: `rate`, `quota` or `pause`."),
        ColumnSpec::optional("limit_remaining", Float, "What remained under that limit."),
        ColumnSpec::optional("limit_resets_at", Time, "When that limit ends."),
        ColumnSpec::optional("limited_at", Time, "When that limit was reported."),
        ColumnSpec::optional("load", Float, "Load reported with the latest heartbeat."),
        ColumnSpec::optional("heartbeat_at", Time, "Time of the latest heartbeat."),
        ColumnSpec::required("implied", Bool, "Whether it was spoken of but never registered (yet)."),
        ColumnSpec::optional("attributes", Json, "Fields of its events that no column holds, the latest of each."),
    ],
};

/// One row per other name of an agent.
pub static AGENT_ALIASES: TableSpec = TableSpec {
    name: "agent_aliases",
    shape: Shape::Keyed,
    grain: "One row per alias of an agent.",
    about: "Other names of agents. Base tables keep the name that was sent; facts and profiles count under the \
            agent that the alias stands for now.",
    key: &["alias"],
    joins: &[Join { columns: &["agent_id"], table: "agents", to: &["agent_id"] }],
    columns: &[
        ColumnSpec::required("alias", Text, "The other name. Compared without regard to case."),
        ColumnSpec::required("agent_id", Text, "Agent that it stands for."),
        ColumnSpec::required("since", Time, "When that was said."),
    ],
};

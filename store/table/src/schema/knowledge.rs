//! `knowledge`: facts, patterns, solutions and decisions worth keeping.

use super::ColumnType::{Bool, Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Shape, TableSpec};

/// One row per piece of knowledge.
pub static KNOWLEDGE: TableSpec = TableSpec {
    name: "knowledge",
    shape: Shape::Keyed,
    grain: "One row per piece of knowledge.",
    about: "The team's memory. Nothing is deleted: what was superseded or retracted stays, with its status and the \
            end of its validity.",
    key: &["knowledge_id"],
    joins: &[],
    columns: &[
        ColumnSpec::required("knowledge_id", Text, "The piece of knowledge. Compared without regard to case."),
        ColumnSpec::optional("title", Text, "Short name."),
        ColumnSpec::optional("text", Text, "What is known. Null while only a later event speaks of it."),
        ColumnSpec::optional("kind", Word, "`fact`, `pattern`, `solution` or `decision`."),
        ColumnSpec::optional("tags", TextList, "Tags."),
        ColumnSpec::optional("links", TextList, "What it comes from or belongs to: `task/42`, links."),
        ColumnSpec::optional("agent_id", Word, "Agent that learned it."),
        ColumnSpec::optional("task_id", Text, "Task in which it was learned."),
        ColumnSpec::optional("attempt_id", Text, "Attempt in which it was learned."),
        ColumnSpec::optional("conversation_id", Text, "Thread in which it was learned."),
        ColumnSpec::required("status", Word, "`current`, `superseded` or `retracted`."),
        ColumnSpec::optional("valid_from", Time, "From when it holds; when it was noted, unless it says otherwise."),
        ColumnSpec::optional(
            "valid_to",
            Time,
            "Until when it holds (exclusive): as noted, or when it was superseded or retracted, whichever is earlier.",
        ),
        ColumnSpec::optional("superseded_by", Text, "Piece of knowledge that replaces it."),
        ColumnSpec::optional("reason", Text, "Why it was retracted."),
        ColumnSpec::optional("actor", Word, "Who noted it, by the envelope."),
        ColumnSpec::optional("noted_at", Time, "When it was noted first."),
        ColumnSpec::required("updated_at", Time, "Time of the latest event about it."),
        ColumnSpec::required("implied", Bool, "Whether it was spoken of but never noted (yet)."),
        ColumnSpec::optional("attributes", Json, "Fields of its events that no column holds, the latest of each."),
    ],
};

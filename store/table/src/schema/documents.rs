//! `documents`: everything that search can find, one text each.

use super::ColumnType::{Int, Text, TextList, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per searchable text.
pub static DOCUMENTS: TableSpec = TableSpec {
    name: "documents",
    shape: Shape::Keyed,
    grain: "One row per searchable text: of a task, an interaction, a piece of knowledge, a message or an outcome.",
    about: "What search follows. A changed text is a new version of its row; entities without any text have none.",
    key: &["doc_id"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["attempt_id"], table: "attempts", to: &["attempt_id"] },
    ],
    columns: &[
        ColumnSpec::required("doc_id", Text, "`{kind}/{id}`; for outcomes `outcome/{source}/{id}`."),
        ColumnSpec::required("kind", Word, "`task`, `interaction`, `knowledge`, `message` or `outcome`."),
        ColumnSpec::optional("title", Text, "Short name, where there is one."),
        ColumnSpec::required("text", Text, "The whole text."),
        ColumnSpec::optional("agent_id", Word, "Agent that it is by or about."),
        ColumnSpec::optional("task_id", Text, "Task that it is about."),
        ColumnSpec::optional("attempt_id", Text, "Attempt that it is about."),
        ColumnSpec::optional("conversation_id", Text, "Thread it belongs to."),
        ColumnSpec::optional("project_id", Word, "Project it belongs to."),
        ColumnSpec::optional("model", Word, "Model that wrote it."),
        ColumnSpec::optional("tags", TextList, "Tags, or the one type or name that the entity has."),
        ColumnSpec::required("time", Time, "When it happened: created, began, was noted, sent or judged."),
        ColumnSpec::optional("valid_from", Time, "From when it holds (knowledge)."),
        ColumnSpec::optional("valid_to", Time, "Until when it holds (knowledge), exclusive."),
        ColumnSpec::optional("seq", Int, "Orders the turns of a conversation (µs since 1970; ties by `doc_id`)."),
    ],
};

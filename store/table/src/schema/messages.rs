//! `messages`: what agents and people say to each other.

use super::ColumnType::{Json, Text, TextList, Time, Word};
use super::{ColumnSpec, Join, Shape, TableSpec};

/// One row per message.
pub static MESSAGES: TableSpec = TableSpec {
    name: "messages",
    shape: Shape::Append,
    grain: "One row per message, question, answer or acceptance of an answer.",
    about: "Threads between agents and people. An `accepted` row has the `message_id` of the answer that was \
            accepted and the `sender` who accepted it.",
    key: &["message_id", "kind"],
    joins: &[
        Join { columns: &["task_id"], table: "tasks", to: &["task_id"] },
        Join { columns: &["_pos"], table: "events", to: &["position"] },
    ],
    columns: &[
        ColumnSpec::required("message_id", Text, "The message."),
        ColumnSpec::required("kind", Word, "`message`, `question`, `answer` or `accepted`."),
        ColumnSpec::required("time", Time, "When it was sent."),
        ColumnSpec::optional("conversation_id", Text, "Thread it belongs to."),
        ColumnSpec::optional("sender", Word, "Who sent it (`from` of the event)."),
        ColumnSpec::optional("recipients", TextList, "To whom (`to` of the event)."),
        ColumnSpec::optional("text", Text, "What was said."),
        ColumnSpec::optional("task_id", Text, "Task it is about."),
        ColumnSpec::optional("reply_to", Text, "Message that it answers."),
        ColumnSpec::optional("attributes", Json, "Fields of the event that no column holds."),
    ],
};

//! `messages`: one row per message, question, answer or acceptance.

use partitura_event::Problem;
use partitura_table::schema::messages::MESSAGES;

use super::append::Append;
use crate::field::{Field, Read, column};
use crate::fold::Event;
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("message_id", Read::Text),
    Field::new("conversation_id", Read::Text),
    Field::renamed("from", "sender", Read::Text),
    Field::renamed("to", "recipients", Read::Texts),
    Field::new("text", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("reply_to", Read::Text),
];

const KIND: u16 = column(&MESSAGES, "kind");
const TIME: u16 = column(&MESSAGES, "time");

/// Types of events that are messages.
pub const KINDS: &[&str] = &["message.sent", "question.asked", "answer.given", "answer.accepted"];

/// Describes the fold.
pub fn messages() -> Append {
    Append::new(&MESSAGES, KINDS, FIELDS, &[], rest)
}

/// Returns the word for a type of message.
pub fn word(kind: &str) -> &'static str {
    match kind {
        "question.asked" => "question",
        "answer.given" => "answer",
        "answer.accepted" => "accepted",
        _ => "message",
    }
}

fn rest<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((KIND, Value::text(word(event.recorded.kind.as_str()))));
    cells.push((TIME, event.time()));
    Ok(())
}

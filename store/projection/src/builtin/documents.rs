//! `documents`: the texts that search finds. Those of tasks and knowledge follow from their entities, those
//! of calls, messages and judgements from one event each.

use std::borrow::Cow;

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::documents::DOCUMENTS;

use super::messages;
use crate::content::content_text;
use crate::data::Data;
use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::rows::Cells;
use crate::value::Value;

const DOC_ID: u16 = column(&DOCUMENTS, "doc_id");
const KIND: u16 = column(&DOCUMENTS, "kind");
const TITLE: u16 = column(&DOCUMENTS, "title");
const TEXT: u16 = column(&DOCUMENTS, "text");
const AGENT_ID: u16 = column(&DOCUMENTS, "agent_id");
const TASK_ID: u16 = column(&DOCUMENTS, "task_id");
const ATTEMPT_ID: u16 = column(&DOCUMENTS, "attempt_id");
const CONVERSATION_ID: u16 = column(&DOCUMENTS, "conversation_id");
const PROJECT_ID: u16 = column(&DOCUMENTS, "project_id");
const MODEL: u16 = column(&DOCUMENTS, "model");
const TAGS: u16 = column(&DOCUMENTS, "tags");
const TIME: u16 = column(&DOCUMENTS, "time");
const VALID_FROM: u16 = column(&DOCUMENTS, "valid_from");
const VALID_TO: u16 = column(&DOCUMENTS, "valid_to");
const SEQ: u16 = column(&DOCUMENTS, "seq");

/// One searchable text and what it can be filtered by.
#[derive(Default)]
pub struct Document<'a> {
    /// Kind of what it is the text of.
    pub kind: &'static str,
    /// Id of what it is the text of.
    pub id: Cow<'a, str>,
    /// Short name.
    pub title: Option<Value<'a>>,
    /// The text.
    pub text: Cow<'a, str>,
    /// Agent.
    pub agent_id: Option<Value<'a>>,
    /// Task.
    pub task_id: Option<Value<'a>>,
    /// Attempt.
    pub attempt_id: Option<Value<'a>>,
    /// Thread.
    pub conversation_id: Option<Value<'a>>,
    /// Project.
    pub project_id: Option<Value<'a>>,
    /// Model.
    pub model: Option<Value<'a>>,
    /// Tags.
    pub tags: Option<Value<'a>>,
    /// When it happened, µs since 1970.
    pub time: i64,
    /// From when it holds, µs since 1970.
    pub valid_from: Option<i64>,
    /// Until when it holds, µs since 1970.
    pub valid_to: Option<i64>,
}

impl<'a> Document<'a> {
    /// Returns the row and its key, or nothing without a text.
    pub fn cells(self) -> Option<(String, Cells<'a>)> {
        if self.text.trim().is_empty() {
            return None;
        }
        let doc_id = format!("{}/{}", self.kind, self.id);
        let key = doc_id.to_lowercase();
        let seq = self.conversation_id.is_some().then_some(Value::Int(self.time));
        let optional = [
            (TITLE, self.title),
            (AGENT_ID, self.agent_id),
            (TASK_ID, self.task_id),
            (ATTEMPT_ID, self.attempt_id),
            (CONVERSATION_ID, self.conversation_id),
            (PROJECT_ID, self.project_id),
            (MODEL, self.model),
            (TAGS, self.tags),
            (VALID_FROM, self.valid_from.map(Value::Time)),
            (VALID_TO, self.valid_to.map(Value::Time)),
            (SEQ, seq),
        ];
        let mut cells = vec![
            (DOC_ID, Value::text(doc_id)),
            (KIND, Value::text(self.kind)),
            (TEXT, Value::Text(self.text)),
            (TIME, Value::Time(self.time)),
        ];
        cells.extend(optional.into_iter().filter_map(|(column, value)| Some((column, value?))));
        Some((key, cells))
    }
}

/// The fold of texts that come with one event.
pub struct Documents;

impl Projection for Documents {
    fn table(&self) -> &'static TableSpec {
        &DOCUMENTS
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "interaction.recorded" | "outcome.recorded" | "outcome.preferred" | "feedback.given")
            || messages::KINDS.contains(&kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let document = match event.kind() {
            "interaction.recorded" => of_interaction(event)?,
            "outcome.recorded" | "outcome.preferred" | "feedback.given" => of_outcome(event)?,
            _ => of_message(event)?,
        };
        out.extend(document.map(|(key, cells)| Effect::Replace(key, cells)));
        Ok(())
    }
}

type Row<'a> = Option<(String, Cells<'a>)>;

fn text<'a>(data: &Data<'a>, name: &str) -> Result<Option<Value<'a>>, Problem> {
    Ok(data.text(name)?.map(Value::Text))
}

fn tag(word: Cow<'_, str>) -> Option<Value<'_>> {
    Some(Value::Texts(vec![word]))
}

fn of_interaction<'a>(event: &Event<'a>) -> Result<Row<'a>, Problem> {
    let data = event.data;
    let bodies = ["input", "output"].into_iter().filter_map(|name| data.raw(name)).map(content_text);
    let mut parts: Vec<_> = bodies.chain(data.text("error")?).filter(|part| !part.trim().is_empty()).collect();
    let body = if parts.len() == 1 { parts.remove(0) } else { Cow::Owned(parts.join("\n\n")) };
    let id = data.need("interaction_id")?;
    Ok(Document {
        kind: "interaction",
        id,
        title: text(data, "tool_name")?,
        text: body,
        agent_id: text(data, "agent_id")?,
        task_id: text(data, "task_id")?,
        attempt_id: text(data, "attempt_id")?,
        conversation_id: text(data, "conversation_id")?,
        project_id: text(data, "project_id")?,
        model: text(data, "model")?,
        tags: data.text("kind")?.and_then(tag),
        time: data.time("started_at")?.unwrap_or(event.recorded.time.micros()),
        ..Document::default()
    }
    .cells())
}

fn of_outcome<'a>(event: &Event<'a>) -> Result<Row<'a>, Problem> {
    let data = event.data;
    let Some(body) = data.text("explanation")?.or(data.text("comment")?) else { return Ok(None) };
    let id = Cow::Owned(format!("{}/{}", event.recorded.source, event.recorded.id));
    let name =
        data.text("name")?.unwrap_or(if event.kind() == "feedback.given" { "feedback" } else { "preference" }.into());
    Ok(Document {
        kind: "outcome",
        id,
        title: Some(Value::Text(name.clone())),
        text: body,
        agent_id: None,
        task_id: text(data, "task_id")?,
        attempt_id: text(data, "attempt_id")?,
        conversation_id: text(data, "conversation_id")?,
        tags: tag(name),
        time: event.recorded.time.micros(),
        ..Document::default()
    }
    .cells())
}

fn of_message<'a>(event: &Event<'a>) -> Result<Row<'a>, Problem> {
    let data = event.data;
    let Some(body) = data.text("text")? else { return Ok(None) };
    // The acceptance of an answer has the answer's id: its text would take the place of the answer's.
    if event.kind() == "answer.accepted" {
        return Ok(None);
    }
    let id = data.need("message_id")?;
    Ok(Document {
        kind: "message",
        id,
        text: body,
        agent_id: text(data, "from")?,
        task_id: text(data, "task_id")?,
        conversation_id: text(data, "conversation_id")?,
        tags: tag(messages::word(event.recorded.kind.as_str()).into()),
        time: event.recorded.time.micros(),
        ..Document::default()
    }
    .cells())
}

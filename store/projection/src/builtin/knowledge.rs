//! `knowledge`: what is known, and until when it holds.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::knowledge::KNOWLEDGE;

use super::documents::Document;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::rows::Cells;
use crate::value::Value;

const NOTED_FIELDS: &[Field] = &[
    Field::new("text", Read::Text),
    Field::new("title", Read::Text),
    Field::new("kind", Read::Text),
    Field::new("tags", Read::Texts),
    Field::new("links", Read::Texts),
    Field::new("agent_id", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("attempt_id", Read::Text),
    Field::new("conversation_id", Read::Text),
    Field::new("valid_from", Read::Time),
    Field::new("valid_to", Read::Time),
];
const ENDED_FIELDS: &[Field] = &[Field::renamed("by", "superseded_by", Read::Text), Field::new("reason", Read::Text)];

const KNOWLEDGE_ID: u16 = column(&KNOWLEDGE, "knowledge_id");
const TITLE: u16 = column(&KNOWLEDGE, "title");
const TEXT: u16 = column(&KNOWLEDGE, "text");
const TAGS: u16 = column(&KNOWLEDGE, "tags");
const AGENT_ID: u16 = column(&KNOWLEDGE, "agent_id");
const TASK_ID: u16 = column(&KNOWLEDGE, "task_id");
const ATTEMPT_ID: u16 = column(&KNOWLEDGE, "attempt_id");
const CONVERSATION_ID: u16 = column(&KNOWLEDGE, "conversation_id");
const STATUS: u16 = column(&KNOWLEDGE, "status");
const VALID_FROM: u16 = column(&KNOWLEDGE, "valid_from");
const VALID_TO: u16 = column(&KNOWLEDGE, "valid_to");
const SUPERSEDED_BY: u16 = column(&KNOWLEDGE, "superseded_by");
const REASON: u16 = column(&KNOWLEDGE, "reason");
const ACTOR: u16 = column(&KNOWLEDGE, "actor");
const NOTED_AT: u16 = column(&KNOWLEDGE, "noted_at");
const UPDATED_AT: u16 = column(&KNOWLEDGE, "updated_at");
const IMPLIED: u16 = column(&KNOWLEDGE, "implied");
const ATTRIBUTES: u16 = column(&KNOWLEDGE, "attributes");

/// Written by the first `knowledge.noted`.
const NOTED: u16 = OWN_SLOTS;
/// Written by the last event: the status that it gives.
const LAST: u16 = OWN_SLOTS + 1;

/// The fold of knowledge.
pub struct Knowledge {
    noted: Fields,
    ended: Fields,
}

impl Default for Knowledge {
    fn default() -> Self {
        let fields = |fields| Fields::new(&KNOWLEDGE, fields, &["knowledge_id"]);
        Self { noted: fields(NOTED_FIELDS), ended: fields(ENDED_FIELDS) }
    }
}

impl Projection for Knowledge {
    fn table(&self) -> &'static TableSpec {
        &KNOWLEDGE
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "knowledge.noted" | "knowledge.superseded" | "knowledge.retracted")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let id = event.data.need("knowledge_id")?;
        let (fields, status) = match event.kind() {
            "knowledge.noted" => (&self.noted, "current"),
            "knowledge.superseded" => (&self.ended, "superseded"),
            _ => (&self.ended, "retracted"),
        };
        let key = id.to_lowercase();
        let mut change: Change<'a> = fields.change(event.data)?;
        let mut cell = |slot, keep, value| change.cells.push(Cell { slot, keep, value });
        cell(KNOWLEDGE_ID, Keep::First, Value::Text(id));
        cell(LAST, Keep::Last, Value::text(status));
        if status == "current" {
            cell(NOTED, Keep::First, Value::Bool(true));
            if let Some(actor) = &event.recorded.actor {
                cell(ACTOR, Keep::Last, Value::text(actor.as_str()));
            }
        }
        out.push(Effect::Touch(key, change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        let status = entity.text(LAST).unwrap_or("current");
        cells.retain(|(slot, _)| match *slot {
            SUPERSEDED_BY => status == "superseded",
            REASON => status == "retracted",
            slot => !matches!(slot, VALID_FROM | VALID_TO),
        });
        cells.push((STATUS, Value::text(status)));
        let noted = entity.written_at(NOTED);
        let (from, to) = validity(entity);
        cells.extend(from.map(|time| (VALID_FROM, Value::Time(time))));
        cells.extend(to.map(|time| (VALID_TO, Value::Time(time))));
        cells.extend(noted.map(|time| (NOTED_AT, Value::Time(time))));
        cells.extend(entity.written_at(LAST).map(|time| (UPDATED_AT, Value::Time(time))));
        cells.push((IMPLIED, Value::Bool(noted.is_none())));
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }

    fn writes_documents(&self) -> bool {
        true
    }

    fn document<'e>(&self, entity: &'e Entity) -> Option<(String, Cells<'e>)> {
        let (valid_from, valid_to) = validity(entity);
        Document {
            kind: "knowledge",
            id: entity.text(KNOWLEDGE_ID)?.into(),
            title: entity.value(TITLE).map(Value::by_ref),
            text: entity.text(TEXT)?.into(),
            agent_id: entity.value(AGENT_ID).or(entity.value(ACTOR)).map(Value::by_ref),
            task_id: entity.value(TASK_ID).map(Value::by_ref),
            attempt_id: entity.value(ATTEMPT_ID).map(Value::by_ref),
            conversation_id: entity.value(CONVERSATION_ID).map(Value::by_ref),
            tags: entity.value(TAGS).map(Value::by_ref),
            time: entity.written_at(NOTED)?,
            valid_from,
            valid_to,
            ..Document::default()
        }
        .cells()
    }
}

/// Returns from when and until when it holds.
fn validity(entity: &Entity) -> (Option<i64>, Option<i64>) {
    let time = |slot| entity.value(slot).and_then(Value::as_time);
    let from = time(VALID_FROM).or(entity.written_at(NOTED));
    let ended = entity.written_at(LAST).filter(|_| entity.text(LAST) != Some("current"));
    let to = match (time(VALID_TO), ended) {
        (Some(noted), Some(ended)) => Some(noted.min(ended)),
        (noted, ended) => noted.or(ended),
    };
    (from, to)
}

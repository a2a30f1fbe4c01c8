//! `outcomes` and `outcome_supersessions`: judgements, and those that count no more.

use partitura_event::{ErrorClass, Problem};
use partitura_table::schema::TableSpec;
use partitura_table::schema::outcomes::{OUTCOME_SUPERSESSIONS, OUTCOMES};

use super::append::Append;
use crate::field::{Field, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("value", Read::Float),
    Field::new("label", Read::Text),
    Field::new("success", Read::Bool),
    Field::new("evaluator_id", Read::Text),
    Field::new("evaluator_version", Read::Text),
    Field::new("attempt_id", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("interaction_id", Read::Text),
    Field::new("conversation_id", Read::Text),
    Field::new("decision_id", Read::Text),
    Field::new("experiment_id", Read::Text),
    Field::new("trace_id", Read::Text),
    Field::new("message_id", Read::Text),
    Field::new("supersedes", Read::Text),
    Field::new("preferred_over", Read::Text),
    Field::new("explanation", Read::Text),
    Field::renamed("user_id", "evaluator_id", Read::Text),
    Field::renamed("rating", "value", Read::Float),
    Field::renamed("comment", "explanation", Read::Text),
];
const OTHERS: &[&str] = &["outcome_id", "name", "evaluator", "thumb"];

const OUTCOME_ID: u16 = column(&OUTCOMES, "outcome_id");
const TYPE: u16 = column(&OUTCOMES, "type");
const SOURCE: u16 = column(&OUTCOMES, "source");
const TIME: u16 = column(&OUTCOMES, "time");
const NAME: u16 = column(&OUTCOMES, "name");
const LABEL: u16 = column(&OUTCOMES, "label");
const SUCCESS: u16 = column(&OUTCOMES, "success");
const EVALUATOR: u16 = column(&OUTCOMES, "evaluator");

/// Describes the fold of judgements.
pub fn outcomes() -> Append {
    const KINDS: &[&str] = &["outcome.recorded", "outcome.preferred", "feedback.given"];
    Append::new(&OUTCOMES, KINDS, FIELDS, OTHERS, rest)
}

fn rest<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    let (data, recorded) = (event.data, event.recorded);
    cells.push((OUTCOME_ID, Value::Text(data.text("outcome_id")?.unwrap_or(recorded.id.as_str().into()))));
    cells.push((TYPE, Value::text(recorded.kind.as_str())));
    cells.push((SOURCE, Value::text(recorded.source.as_str())));
    cells.push((TIME, event.time()));
    let (name, evaluator) = match recorded.kind.as_str() {
        "feedback.given" => (Some("feedback".into()), Some("human".into())),
        "outcome.preferred" => (Some("preference".into()), data.text("evaluator")?),
        _ => (None, data.text("evaluator")?),
    };
    let name = data.text("name")?.or(name);
    cells.extend(name.map(|name| (NAME, Value::Text(name))));
    cells.extend(evaluator.map(|evaluator| (EVALUATOR, Value::Text(evaluator))));
    if let Some(thumb) = data.text("thumb")? {
        cells.push((SUCCESS, Value::Bool(thumb == "up")));
        cells.push((LABEL, Value::Text(thumb)));
    }
    Ok(())
}

const SUPERSEDED_ID: u16 = column(&OUTCOME_SUPERSESSIONS, "outcome_id");
const BY: u16 = column(&OUTCOME_SUPERSESSIONS, "by");
const REASON: u16 = column(&OUTCOME_SUPERSESSIONS, "reason");
const SAID_AT: u16 = column(&OUTCOME_SUPERSESSIONS, "time");

/// The fold of what puts outcomes out of force.
pub struct Supersessions;

impl Projection for Supersessions {
    fn table(&self) -> &'static TableSpec {
        &OUTCOME_SUPERSESSIONS
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "outcome.recorded" | "outcome.superseded")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let data = event.data;
        let mut cells = vec![(SAID_AT, event.time())];
        let by = if event.kind() == "outcome.superseded" {
            let target = data.need("outcome_id")?;
            cells.push((SUPERSEDED_ID, Value::Text(target)));
            cells.extend(data.text("reason")?.map(|reason| (REASON, Value::Text(reason))));
            data.text("by")?
        } else {
            let Some(target) = data.text("supersedes")? else { return Ok(()) };
            let own = data.text("outcome_id")?.unwrap_or(event.recorded.id.as_str().into());
            if own.to_lowercase() == target.to_lowercase() {
                return Err(Problem::new(ErrorClass::Invalid, format!("outcome `{own}` supersedes itself"))
                    .code("supersedes_itself"));
            }
            cells.push((SUPERSEDED_ID, Value::Text(target)));
            Some(own)
        };
        cells.extend(by.map(|by| (BY, Value::Text(by))));
        out.push(Effect::Row(cells));
        Ok(())
    }
}

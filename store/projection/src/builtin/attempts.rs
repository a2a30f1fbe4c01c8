//! `attempts`: the explicit ones, from what they say themselves and what others say of them.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::attempts::ATTEMPTS;

use super::telemetry;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::otlp::Translator;
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("task_id", Read::Text),
    Field::new("agent_id", Read::Text),
    Field::new("agent_version", Read::Text),
    Field::new("role", Read::Text),
    Field::new("number", Read::Int),
    Field::new("cause", Read::Text),
    Field::new("retry_of", Read::Text),
    Field::new("decision_id", Read::Text),
    Field::new("lease_until", Read::Time),
    Field::new("result", Read::Text),
    Field::new("fraction", Read::Float),
    Field::new("error_class", Read::Text),
    Field::new("retryable", Read::Bool),
];

const ATTEMPT_ID: u16 = column(&ATTEMPTS, "attempt_id");
const TASK_ID: u16 = column(&ATTEMPTS, "task_id");
const AGENT_ID: u16 = column(&ATTEMPTS, "agent_id");
const ROLE: u16 = column(&ATTEMPTS, "role");
const STATUS: u16 = column(&ATTEMPTS, "status");
const STARTED_AT: u16 = column(&ATTEMPTS, "started_at");
const ENDED_AT: u16 = column(&ATTEMPTS, "ended_at");
const RESULT: u16 = column(&ATTEMPTS, "result");
const IMPLIED: u16 = column(&ATTEMPTS, "implied");
const ATTRIBUTES: u16 = column(&ATTEMPTS, "attributes");

/// Written by `attempt.started`.
const STARTED: u16 = OWN_SLOTS;
/// Task and agent that others name, used until the attempt names its own.
const TOLD_TASK: u16 = OWN_SLOTS + 1;
const TOLD_AGENT: u16 = OWN_SLOTS + 2;

/// The fold of attempts.
pub struct Attempts {
    fields: Fields,
    translator: &'static Translator,
}

impl Attempts {
    /// Makes the fold, which reads telemetry by `translator`.
    pub fn new(translator: &'static Translator) -> Self {
        Self { fields: Fields::new(&ATTEMPTS, FIELDS, &["attempt_id"]), translator }
    }
}

impl Projection for Attempts {
    fn table(&self) -> &'static TableSpec {
        &ATTEMPTS
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(
            kind,
            "attempt.started"
                | "attempt.renewed"
                | "attempt.ended"
                | "interaction.recorded"
                | "outcome.recorded"
                | "outcome.preferred"
                | "feedback.given"
                | "artifact.recorded"
                | "approval.requested"
                | "task.handed_off"
        ) || telemetry::tells_of_calls(kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        if telemetry::tells_of_calls(event.kind()) {
            for call in &event.telemetry(self.translator)?.calls {
                if let Some(attempt) = call.attempt_id.as_deref() {
                    let told = vec![(TASK_ID, call.task()), (AGENT_ID, call.agent())];
                    out.push(telemetry::mention(event, (ATTEMPT_ID, attempt), telemetry::begun(call), told));
                }
            }
            return Ok(());
        }
        let data = event.data;
        let own = event.kind().starts_with("attempt.");
        let id = match event.kind() {
            _ if own => Some(data.need("attempt_id")?),
            "task.handed_off" => data.text("from_attempt")?,
            _ => data.text("attempt_id")?,
        };
        let Some(id) = id else { return Ok(()) };
        let key = id.to_lowercase();
        let mut change = if own { self.fields.change(data)? } else { Change::default() };
        let first = |slot, value| Cell { slot, keep: Keep::First, value };
        match event.kind() {
            "attempt.started" => change.cells.push(first(STARTED, Value::Bool(true))),
            _ if own => {}
            kind => {
                change.cells.extend(data.text("task_id")?.map(|task| first(TOLD_TASK, Value::Text(task))));
                if kind == "interaction.recorded" {
                    change.cells.extend(data.text("agent_id")?.map(|agent| first(TOLD_AGENT, Value::Text(agent))));
                }
            }
        }
        change.cells.push(first(ATTEMPT_ID, Value::Text(id)));
        out.push(Effect::Touch(key, change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        for (slot, told) in [(TASK_ID, TOLD_TASK), (AGENT_ID, TOLD_AGENT)] {
            if entity.value(slot).is_none() {
                match entity.value(told) {
                    Some(value) => cells.push((slot, value.by_ref())),
                    None => telemetry::fill(entity, &mut cells, &[slot]),
                }
            }
        }
        let started = entity.written_at(STARTED);
        let ended = entity.written_at(RESULT);
        if started.is_some() && entity.value(ROLE).is_none() {
            cells.push((ROLE, Value::text("lead")));
        }
        cells.push((STATUS, Value::text(if ended.is_some() { "ended" } else { "running" })));
        cells.extend(started.map(|time| (STARTED_AT, Value::Time(time))));
        cells.extend(ended.map(|time| (ENDED_AT, Value::Time(time))));
        cells.push((IMPLIED, Value::Bool(started.is_none())));
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }
}

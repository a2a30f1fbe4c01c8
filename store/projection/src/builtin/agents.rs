//! `agents`: what agents declare, and that they were seen.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::agents::AGENTS;

use super::telemetry;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::otlp::Translator;
use crate::rows::Cells;
use crate::value::Value;

const DECLARED: &[Field] = &[
    Field::new("name", Read::Text),
    Field::new("version", Read::Text),
    Field::new("provider", Read::Text),
    Field::new("model", Read::Text),
    Field::new("capabilities", Read::Texts),
    Field::new("concurrency", Read::Int),
    Field::new("labels", Read::Json),
];

const LIMITED: &[Field] = &[
    Field::renamed("kind", "limit_kind", Read::Text),
    Field::renamed("remaining", "limit_remaining", Read::Float),
    Field::renamed("resets_at", "limit_resets_at", Read::Time),
];

const RETIRED: &[Field] = &[Field::new("replaced_by", Read::Text)];
const ALIVE: &[Field] = &[Field::new("load", Read::Float)];

const AGENT_ID: u16 = column(&AGENTS, "agent_id");
const NAME: u16 = column(&AGENTS, "name");
const VERSION: u16 = column(&AGENTS, "version");
const STATUS: u16 = column(&AGENTS, "status");
const REGISTERED_AT: u16 = column(&AGENTS, "registered_at");
const RETIRED_AT: u16 = column(&AGENTS, "retired_at");
const REPLACED_BY: u16 = column(&AGENTS, "replaced_by");
const FIRST_SEEN_AT: u16 = column(&AGENTS, "first_seen_at");
const LIMITED_AT: u16 = column(&AGENTS, "limited_at");
const LIMIT_REMAINING: u16 = column(&AGENTS, "limit_remaining");
const LIMIT_RESETS_AT: u16 = column(&AGENTS, "limit_resets_at");
const HEARTBEAT_AT: u16 = column(&AGENTS, "heartbeat_at");
const IMPLIED: u16 = column(&AGENTS, "implied");
const ATTRIBUTES: u16 = column(&AGENTS, "attributes");

/// Written by the first event that registers or updates it.
const REGISTERED_FIRST: u16 = OWN_SLOTS;
/// Written by the last `agent.registered`.
const REGISTERED_LAST: u16 = OWN_SLOTS + 1;
/// Written by the last `agent.retired`.
const RETIRED_LAST: u16 = OWN_SLOTS + 2;

/// The fold of agents.
pub struct Agents {
    declared: Fields,
    limited: Fields,
    retired: Fields,
    alive: Fields,
    translator: &'static Translator,
}

impl Agents {
    /// Makes the fold, which reads telemetry by `translator`.
    pub fn new(translator: &'static Translator) -> Self {
        let fields = |fields, others| Fields::new(&AGENTS, fields, others);
        Self {
            declared: fields(DECLARED, &["agent_id"]),
            limited: fields(LIMITED, &["agent_id"]),
            retired: fields(RETIRED, &["agent_id", "reason"]),
            alive: fields(ALIVE, &["agent_id"]),
            translator,
        }
    }

    fn told<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        for call in &event.telemetry(self.translator)?.calls {
            let work = &call.work;
            if let Some(agent) = call.agent() {
                let told = vec![(NAME, work.agent_name.as_deref()), (VERSION, work.agent_version.as_deref())];
                out.push(telemetry::mention(event, (AGENT_ID, agent), telemetry::begun(call), told));
            }
            let passed = work.handoff.iter().flat_map(|handoff| [handoff.from.as_deref(), Some(handoff.to.as_str())]);
            let others = passed.flatten().chain(work.alias.iter().map(|(_, agent)| agent.as_str()));
            out.extend(others.map(|agent| telemetry::mention(event, (AGENT_ID, agent), call.time, Vec::new())));
        }
        Ok(())
    }
}

impl Projection for Agents {
    fn table(&self) -> &'static TableSpec {
        &AGENTS
    }

    fn wants(&self, kind: &str) -> bool {
        mention(kind).is_some() || telemetry::tells_of_calls(kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        if telemetry::tells_of_calls(event.kind()) {
            return self.told(event, out);
        }
        let data = event.data;
        let Some(id) = mention(event.kind()).map(|field| data.text(field)).transpose()?.flatten() else {
            return Ok(());
        };
        let mut change = match event.kind() {
            "agent.registered" | "agent.updated" => self.declared.change(data)?,
            "agent.limited" => self.limited.change(data)?,
            "agent.retired" => self.retired.change(data)?,
            "agent.heartbeat" => self.alive.change(data)?,
            _ => Change::default(),
        };
        let cell = |slot, keep, value| Cell { slot, keep, value };
        match event.kind() {
            "agent.registered" => {
                change.cells.push(cell(REGISTERED_FIRST, Keep::First, Value::Bool(true)));
                change.cells.push(cell(REGISTERED_LAST, Keep::Last, Value::Bool(true)));
            }
            "agent.updated" => change.cells.push(cell(REGISTERED_FIRST, Keep::First, Value::Bool(true))),
            "agent.limited" => change.cells.push(cell(LIMITED_AT, Keep::Last, event.time())),
            "agent.retired" => change.cells.push(cell(RETIRED_LAST, Keep::Last, Value::Bool(true))),
            "agent.heartbeat" => change.cells.push(cell(HEARTBEAT_AT, Keep::Last, event.time())),
            _ => {}
        }
        let key = id.to_lowercase();
        change.cells.push(cell(AGENT_ID, Keep::First, Value::Text(id)));
        out.push(Effect::Touch(key, change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        telemetry::fill(entity, &mut cells, &[NAME, VERSION]);
        let stamp = |slot| entity.register(slot).map(|register| &register.stamp);
        let retired = stamp(RETIRED_LAST).filter(|retired| stamp(REGISTERED_LAST) < Some(*retired));
        if retired.is_none() {
            cells.retain(|(slot, _)| *slot != REPLACED_BY);
        }
        // What an earlier limit said must not be read as if the latest had said it.
        let limit = stamp(LIMITED_AT);
        cells.retain(|(slot, _)| !matches!(*slot, LIMIT_REMAINING | LIMIT_RESETS_AT) || stamp(*slot) == limit);
        cells.push((STATUS, Value::text(if retired.is_some() { "retired" } else { "active" })));
        cells.extend(retired.map(|stamp| (RETIRED_AT, Value::Time(stamp.time))));
        let registered = entity.written_at(REGISTERED_FIRST);
        cells.extend(registered.map(|time| (REGISTERED_AT, Value::Time(time))));
        cells.extend(entity.written_at(AGENT_ID).map(|time| (FIRST_SEEN_AT, Value::Time(time))));
        cells.push((IMPLIED, Value::Bool(registered.is_none())));
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }
}

/// Returns the field in which events of this type name an agent.
fn mention(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "agent.registered"
        | "agent.updated"
        | "agent.retired"
        | "agent.limited"
        | "agent.heartbeat"
        | "agent.aliased"
        | "attempt.started"
        | "task.assigned"
        | "task.started"
        | "task.completed"
        | "task.failed"
        | "interaction.recorded"
        | "knowledge.noted" => "agent_id",
        "task.handed_off" => "to_agent",
        _ => return None,
    })
}

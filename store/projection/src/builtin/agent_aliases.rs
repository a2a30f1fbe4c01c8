//! `agent_aliases`: other names of agents, by events and, where no event says otherwise, by telemetry.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::agents::AGENT_ALIASES as TABLE;

use super::telemetry;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::otlp::Translator;
use crate::rows::Cells;
use crate::value::Value;

const ALIAS: u16 = column(&TABLE, "alias");
const AGENT_ID: u16 = column(&TABLE, "agent_id");
const SINCE: u16 = column(&TABLE, "since");

/// When telemetry said it first.
const SEEN: u16 = OWN_SLOTS;

/// The fold.
pub struct AgentAliases(pub &'static Translator);

impl Projection for AgentAliases {
    fn table(&self) -> &'static TableSpec {
        &TABLE
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "agent.aliased" || telemetry::tells_of_calls(kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        if event.kind() != "agent.aliased" {
            for call in &event.telemetry(self.0)?.calls {
                if let Some((alias, agent)) = &call.work.alias {
                    let told = vec![(AGENT_ID, Some(agent.as_str()))];
                    let mut effect = telemetry::mention(event, (ALIAS, alias), telemetry::begun(call), told);
                    if let Effect::TouchAt(_, _, change) = &mut effect {
                        change.cells.push(Cell { slot: SEEN, keep: Keep::First, value: Value::Bool(true) });
                    }
                    out.push(effect);
                }
            }
            return Ok(());
        }
        let (alias, agent) = (event.data.need("alias")?, event.data.need("agent_id")?);
        let key = alias.to_lowercase();
        let last = |slot, value| Cell { slot, keep: Keep::Last, value };
        let cells = vec![
            Cell { slot: ALIAS, keep: Keep::First, value: Value::Text(alias) },
            last(AGENT_ID, Value::Text(agent)),
            last(SINCE, event.time()),
        ];
        out.push(Effect::Touch(key, Change { cells, ..Change::default() }));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        telemetry::fill(entity, &mut cells, &[AGENT_ID]);
        if entity.value(SINCE).is_none() {
            cells.extend(entity.written_at(SEEN).map(|time| (SINCE, Value::Time(time))));
        }
        cells
    }
}

//! What telemetry says of tasks, attempts, agents and artifacts, which events tell of too. What an event says counts
//! more, whenever it comes: so the two have registers of their own.

use super::tasks::moves;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::fold::{Effect, Event};
use crate::otlp::Call;
use crate::otlp::call::End;
use crate::rows::Cells;
use crate::value::Value;

/// Registers of what telemetry says: that of the column, so far up.
const TOLD: u16 = OWN_SLOTS + 500;

/// Returns whether a raw record can tell of calls.
pub fn tells_of_calls(kind: &str) -> bool {
    matches!(kind, "otlp.traces" | "otlp.logs")
}

/// Returns when a call began, or else when it ended.
pub fn begun(call: &Call) -> i64 {
    call.started_at.unwrap_or(call.time)
}

/// Touches an entity that a call names: at the beginning of the call. What was said first stays.
pub fn mention<'a>(event: &Event<'a>, id: (u16, &'a str), at: i64, told: Vec<(u16, Option<&'a str>)>) -> Effect<'a> {
    let first = |slot, value| Cell { slot, keep: Keep::First, value };
    let mut cells = vec![first(id.0, Value::text(id.1))];
    cells.extend(told.into_iter().filter_map(|(slot, text)| Some(first(slot + TOLD, Value::text(text?)))));
    let stamp = event.stamp_at(at, event.kind(), event.recorded.id.as_str());
    Effect::TouchAt(stamp, id.1.to_lowercase(), Change { cells, ..Change::default() })
}

/// Adds what telemetry says to the cells of a row, where no event says it.
pub fn fill<'e>(entity: &'e Entity, cells: &mut Cells<'e>, columns: &[u16]) {
    for column in columns.iter().filter(|column| entity.value(**column).is_none()) {
        cells.extend(entity.value(column + TOLD).map(|value| (*column, value.by_ref())));
    }
}

/// Returns the text that an event gave, else the one of telemetry.
pub fn text_of(entity: &Entity, column: u16) -> Option<&str> {
    entity.text(column).or_else(|| entity.text(column + TOLD))
}

/// Returns the moves of a task that a call makes, each as of its own time. A call that is sent again makes the same
/// moves.
pub fn moves_of<'a>(event: &Event<'a>, call: &'a Call, task: &str, updated: u16, error: u16) -> Vec<Effect<'a>> {
    let work = &call.work;
    let last = |slot, value| Cell { slot, keep: Keep::Last, value };
    let step = |at, kind: &str, id: String, what, who: Option<&str>, error: Option<Cell<'a>>| {
        let cells = [last(updated, Value::Bool(true))].into_iter().chain(error).collect();
        let change = Change { cells, step: Some((what, who.map(Into::into))), ..Change::default() };
        Effect::TouchAt(event.stamp_at(at, kind, id), task.to_lowercase(), change)
    };
    let named = |who: Option<&str>| format!("{}/{}", call.interaction_id, who.unwrap_or_default());
    let mut moves = Vec::new();
    if work.begins {
        let who = work.worker.as_deref();
        moves.push(step(begun(call), "task.started", named(who), moves::STARTED, who, None));
    }
    if let Some(handoff) = &work.handoff {
        // Who passes work on has worked until then, unless the user calls the agent by another name.
        let from = handoff.from.as_deref().filter(|from| call.agent().is_none_or(|agent| agent == *from));
        if let Some(from) = from {
            moves.push(step(call.time, "task.started", named(Some(from)), moves::STARTED, Some(from), None));
        }
        let (id, to) = (call.interaction_id.clone(), Some(handoff.to.as_str()));
        moves.push(step(call.time, "task.handed_off", id, moves::HANDED_OFF, to, None));
    }
    let who = work.worker.as_deref();
    match work.end {
        Some(End::Completed) => {
            moves.push(step(call.time, "task.completed", named(who), moves::COMPLETED, who, None));
        }
        Some(End::Failed) => {
            let error = call.error.as_deref().map(|text| last(error, Value::text(text)));
            moves.push(step(call.time, "task.failed", named(who), moves::FAILED, who, error));
        }
        None => {}
    }
    moves
}

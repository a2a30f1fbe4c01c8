//! `interactions`: one row per call.

use partitura_event::Problem;
use partitura_table::schema::interactions::INTERACTIONS;

use super::append::Append;
use crate::content::content_text;
use crate::field::{Field, Read, column};
use crate::fold::Event;
use crate::rows::Cells;
use crate::value::Value;

const FIELDS: &[Field] = &[
    Field::new("interaction_id", Read::Text),
    Field::new("kind", Read::Text),
    Field::new("agent_id", Read::Text),
    Field::new("attempt_id", Read::Text),
    Field::new("task_id", Read::Text),
    Field::new("conversation_id", Read::Text),
    Field::new("trace_id", Read::Text),
    Field::new("parent_id", Read::Text),
    Field::new("user_id", Read::Text),
    Field::new("provider", Read::Text),
    Field::new("model", Read::Text),
    Field::new("prompt_id", Read::Text),
    Field::new("prompt_version", Read::Text),
    Field::new("tool_name", Read::Text),
    Field::new("latency_ms", Read::Float),
    Field::new("ttft_ms", Read::Float),
    Field::new("tokens_in", Read::Int),
    Field::new("tokens_out", Read::Int),
    Field::new("tokens_cache_read", Read::Int),
    Field::new("tokens_cache_write", Read::Int),
    Field::new("tokens_reasoning", Read::Int),
    Field::new("status", Read::Text),
    Field::new("finish_reason", Read::Text),
    Field::new("error", Read::Text),
    Field::new("retry_of", Read::Text),
];
const OTHERS: &[&str] = &["input", "output", "started_at", "cost", "currency"];

const TIME: u16 = column(&INTERACTIONS, "time");
const STARTED_AT: u16 = column(&INTERACTIONS, "started_at");
const COST: u16 = column(&INTERACTIONS, "cost");
const CURRENCY: u16 = column(&INTERACTIONS, "currency");
const BODIES: [(&str, u16, u16); 2] = [
    ("input", column(&INTERACTIONS, "input"), column(&INTERACTIONS, "input_chars")),
    ("output", column(&INTERACTIONS, "output"), column(&INTERACTIONS, "output_chars")),
];

/// Describes the fold.
pub fn interactions() -> Append {
    Append::new(&INTERACTIONS, &["interaction.recorded"], FIELDS, OTHERS, rest)
}

fn rest<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    let data = event.data;
    for (name, preview, chars) in BODIES {
        if let Some(raw) = data.raw(name) {
            let text = content_text(raw);
            cells.push((chars, Value::Int(text.chars().count() as i64)));
            cells.push((preview, Value::Text(super::preview(text))));
        }
    }
    let time = event.recorded.time.micros();
    cells.push((TIME, Value::Time(time)));
    let latency = data.float("latency_ms")?.map(|ms| (ms * 1000.0) as i64);
    if let Some(started) = data.time("started_at")?.or(latency.map(|latency| time.saturating_sub(latency).max(0))) {
        cells.push((STARTED_AT, Value::Time(started)));
    }
    if let Some(cost) = data.money("cost")? {
        cells.push((COST, Value::money(cost)));
        let currency = data.text("currency")?.unwrap_or("USD".into());
        cells.push((CURRENCY, Value::text(currency.to_ascii_uppercase())));
    }
    Ok(())
}

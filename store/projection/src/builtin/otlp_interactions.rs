//! `otlp_interactions`: one row per call that OpenTelemetry data tells of, from everything that tells of it.

use std::borrow::Cow;

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::interactions::OTLP_INTERACTIONS as TABLE;

use super::documents::Document;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::otlp::{Call, Translator};
use crate::rows::Cells;
use crate::value::Value;

const INTERACTION_ID: u16 = column(&TABLE, "interaction_id");
const KIND: u16 = column(&TABLE, "kind");
const TIME: u16 = column(&TABLE, "time");
const STARTED_AT: u16 = column(&TABLE, "started_at");
const AGENT_ID: u16 = column(&TABLE, "agent_id");
const ATTEMPT_ID: u16 = column(&TABLE, "attempt_id");
const TASK_ID: u16 = column(&TABLE, "task_id");
const CONVERSATION_ID: u16 = column(&TABLE, "conversation_id");
const TRACE_ID: u16 = column(&TABLE, "trace_id");
const PARENT_ID: u16 = column(&TABLE, "parent_id");
const USER_ID: u16 = column(&TABLE, "user_id");
const PROVIDER: u16 = column(&TABLE, "provider");
const MODEL: u16 = column(&TABLE, "model");
const PROMPT_ID: u16 = column(&TABLE, "prompt_id");
const PROMPT_VERSION: u16 = column(&TABLE, "prompt_version");
const INPUT: u16 = column(&TABLE, "input");
const OUTPUT: u16 = column(&TABLE, "output");
const INPUT_CHARS: u16 = column(&TABLE, "input_chars");
const OUTPUT_CHARS: u16 = column(&TABLE, "output_chars");
const TOOL_NAME: u16 = column(&TABLE, "tool_name");
const LATENCY_MS: u16 = column(&TABLE, "latency_ms");
const TTFT_MS: u16 = column(&TABLE, "ttft_ms");
const TOKENS_IN: u16 = column(&TABLE, "tokens_in");
const TOKENS_OUT: u16 = column(&TABLE, "tokens_out");
const TOKENS_CACHE_READ: u16 = column(&TABLE, "tokens_cache_read");
const TOKENS_CACHE_WRITE: u16 = column(&TABLE, "tokens_cache_write");
const TOKENS_REASONING: u16 = column(&TABLE, "tokens_reasoning");
const COST: u16 = column(&TABLE, "cost");
const CURRENCY: u16 = column(&TABLE, "currency");
const STATUS: u16 = column(&TABLE, "status");
const FINISH_REASON: u16 = column(&TABLE, "finish_reason");
const ERROR: u16 = column(&TABLE, "error");
const ATTRIBUTES: u16 = column(&TABLE, "attributes");

/// What went in and out, whole.
const WHOLE_INPUT: u16 = OWN_SLOTS + 1;
const WHOLE_OUTPUT: u16 = OWN_SLOTS + 2;
/// What counts where nothing better is said, such as the word of a log event beside a span's: the same slot, so
/// far up.
const ELSE: u16 = OWN_SLOTS + 100;
/// What the first call within it counts: of a model, of an embedding.
const AROUND_LLM: u16 = OWN_SLOTS + 3;
const AROUND_EMBEDDING: u16 = OWN_SLOTS + 4;
/// Kind of a call of which only those within it tell. `interactions` leaves it out.
const UNKNOWN: &str = "unknown";
/// Beginnings of the names under which messages are kept among the attributes.
const INPUT_MESSAGE: &str = "\u{1}input/";
const OUTPUT_MESSAGE: &str = "\u{1}output/";

/// The fold.
pub struct OtlpInteractions(pub &'static Translator);

impl Projection for OtlpInteractions {
    fn table(&self) -> &'static TableSpec {
        &TABLE
    }

    fn version(&self) -> u32 {
        self.0.version
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "otlp.traces" | "otlp.logs")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        for call in &event.telemetry(self.0)?.calls {
            out.push(Effect::Touch(call.interaction_id.to_lowercase(), change(call)));
            for id in &call.around {
                out.push(Effect::Touch(id.to_lowercase(), around(id, call)));
            }
        }
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        for slot in [AGENT_ID, TASK_ID, KIND, TIME, STARTED_AT, LATENCY_MS, STATUS] {
            if entity.value(slot).is_none()
                && let Some(value) = entity.value(slot + ELSE)
            {
                cells.push((slot, value.by_ref()));
            }
        }
        let is_around = is_around(entity);
        if is_around {
            let kinds = cells.iter_mut().filter(|(slot, _)| *slot == KIND);
            kinds.for_each(|(_, kind)| *kind = Value::text("workflow"));
        }
        let sums = if is_around || !is_counted(entity) { leave_usage(&mut cells) } else { None };
        if !cells.iter().any(|(slot, _)| *slot == KIND) {
            let heard = entity.registers().first().map_or(0, |register| register.stamp.time);
            cells.extend([(KIND, Value::text(UNKNOWN)), (TIME, Value::Time(heard))]);
        }
        if entity.value(LATENCY_MS).or(entity.value(LATENCY_MS + ELSE)).is_none() {
            cells.extend(between(entity).map(|ms| (LATENCY_MS, Value::Float(ms))));
        }
        for (whole, preview, chars) in [(input(entity), INPUT, INPUT_CHARS), (output(entity), OUTPUT, OUTPUT_CHARS)] {
            if let Some(text) = whole {
                cells.push((chars, Value::Int(text.chars().count() as i64)));
                cells.push((preview, Value::Text(super::preview(text))));
            }
        }
        let members = entity.attributes.iter().filter(|(name, _)| !name.starts_with('\u{1}'));
        let members = members.map(|(name, (_, json))| (name.as_ref(), json.as_ref()));
        // What another signal tells of the same usage is no sum of others'.
        let counts = |cells: &Cells<'_>| cells.iter().any(|(slot, _)| matches!(*slot, TOKENS_IN | TOKENS_OUT));
        let is_sum = sums.is_none() && !counts(&cells);
        let members = members.filter(|(name, _)| is_sum || *name != "usage_rollup");
        let sums = sums.as_deref().map(|sums| ("usage_rollup", sums));
        let json = crate::field::json_object(members.chain(sums));
        cells.extend(json.map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }

    fn writes_documents(&self) -> bool {
        true
    }

    fn document<'e>(&self, entity: &'e Entity) -> Option<(String, Cells<'e>)> {
        let error = entity.text(ERROR).map(Cow::Borrowed);
        let mut parts: Vec<_> = [input(entity), output(entity), error].into_iter().flatten().collect();
        let text = if parts.len() == 1 { parts.remove(0) } else { Cow::Owned(parts.join("\n\n")) };
        let value = |slot| entity.value(slot).map(Value::by_ref);
        let told = |slot| entity.value(slot).or(entity.value(slot + ELSE));
        Document {
            kind: "interaction",
            id: entity.text(INTERACTION_ID)?.into(),
            title: value(TOOL_NAME),
            text,
            agent_id: told(AGENT_ID).map(Value::by_ref),
            task_id: told(TASK_ID).map(Value::by_ref),
            attempt_id: value(ATTEMPT_ID),
            conversation_id: value(CONVERSATION_ID),
            model: value(MODEL),
            tags: told(KIND)?.as_text().map(|kind| Value::Texts(vec![kind.into()])),
            time: told(STARTED_AT).or(told(TIME))?.as_time()?,
            ..Document::default()
        }
        .cells()
    }
}

/// Returns whether a call within it counts the same usage, or it has none of its own.
fn is_around(entity: &Entity) -> bool {
    let count = |slot| if let Some(Value::Int(count)) = entity.value(slot) { Some(*count) } else { None };
    let own = (count(TOKENS_IN), count(TOKENS_OUT));
    let within = match entity.text(KIND).or(entity.text(KIND + ELSE)) {
        Some("llm") => entity.text(AROUND_LLM),
        Some("embedding") => entity.text(AROUND_EMBEDDING),
        _ => None,
    };
    within.is_some_and(|counted| own == (None, None) || counted == counts(own))
}

/// Returns whether it is a call of a model: what others use is the sum of such calls. A log event may count for a
/// span that turns out to be another's.
fn is_counted(entity: &Entity) -> bool {
    matches!(entity.text(KIND).or(entity.text(KIND + ELSE)), Some("llm" | "embedding"))
}

/// Writes what a call counts, to be compared.
fn counts((tokens_in, tokens_out): (Option<i64>, Option<i64>)) -> String {
    format!("{}/{}", tokens_in.unwrap_or(0), tokens_out.unwrap_or(0))
}

/// Takes away usage that is counted elsewhere. Returns it, as JSON.
fn leave_usage(cells: &mut Cells<'_>) -> Option<String> {
    const USAGE: [(u16, &str); 5] = [
        (TOKENS_IN, "tokens_in"),
        (TOKENS_OUT, "tokens_out"),
        (TOKENS_CACHE_READ, "tokens_cache_read"),
        (TOKENS_CACHE_WRITE, "tokens_cache_write"),
        (TOKENS_REASONING, "tokens_reasoning"),
    ];
    let mut sums = serde_json::Map::new();
    cells.retain(|(slot, value)| {
        match (*slot, value) {
            (COST, Value::Money(cost)) => {
                sums.insert("cost_usd".to_owned(), (i128::from(*cost) as f64 / 1e12).into());
            }
            (slot, Value::Int(count)) => {
                if let Some((_, name)) = USAGE.iter().find(|(known, _)| *known == slot) {
                    sums.insert((*name).to_owned(), (*count).into());
                }
            }
            _ => {}
        }
        !matches!(*slot, COST | CURRENCY) && USAGE.iter().all(|(known, _)| known != slot)
    });
    (!sums.is_empty()).then(|| serde_json::Value::Object(sums).to_string())
}

/// Says to a call what one within it counts.
fn around(id: &str, call: &Call) -> Change<'static> {
    let slot = if call.kind == "embedding" { AROUND_EMBEDDING } else { AROUND_LLM };
    let counted = counts((call.usage.tokens_in, call.usage.tokens_out));
    let cell = |slot, value| Cell { slot, keep: Keep::First, value };
    Change {
        cells: vec![cell(INTERACTION_ID, Value::text(id.to_owned())), cell(slot, Value::text(counted))],
        ..Change::default()
    }
}

/// Returns the milliseconds of a call whose start and end were told apart.
fn between(entity: &Entity) -> Option<f64> {
    let (started, ended) = (entity.value(STARTED_AT)?.as_time()?, entity.value(TIME)?.as_time()?);
    (ended > started).then(|| (ended - started) as f64 / 1e3)
}

fn input(entity: &Entity) -> Option<Cow<'_, str>> {
    entity.text(WHOLE_INPUT).map(Cow::Borrowed).or_else(|| messages(entity, INPUT_MESSAGE))
}

fn output(entity: &Entity) -> Option<Cow<'_, str>> {
    entity.text(WHOLE_OUTPUT).map(Cow::Borrowed).or_else(|| messages(entity, OUTPUT_MESSAGE))
}

fn messages<'e>(entity: &'e Entity, beginning: &str) -> Option<Cow<'e, str>> {
    let told = entity.attributes.iter().filter(|(name, _)| name.starts_with(beginning));
    let texts: Vec<String> = told.filter_map(|(_, (_, json))| serde_json::from_str(json).ok()).collect();
    if texts.is_empty() { None } else { Some(Cow::Owned(texts.join("\n"))) }
}

fn change(call: &Call) -> Change<'_> {
    let mut cells = Vec::with_capacity(24);
    let mut put = |slot, value| {
        cells.extend(Option::map(value, |value| Cell { slot, keep: Keep::Last, value }));
    };
    fn text(text: &Option<String>) -> Option<Value<'_>> {
        text.as_deref().map(Value::text)
    }
    // Log events that only add a message say nothing of the call itself.
    let above = if call.from_log { ELSE } else { 0 };
    put(KIND + above, Some(Value::text(call.kind)));
    put(TIME + above, Some(Value::Time(call.time)));
    put(STARTED_AT + above, call.started_at.map(Value::Time));
    put(LATENCY_MS + above, call.latency_ms.map(Value::Float));
    put(STATUS + above, call.status.map(Value::text));
    put(AGENT_ID, text(&call.agent_id));
    put(AGENT_ID + ELSE, call.default_agent.map(Value::text));
    put(ATTEMPT_ID, text(&call.attempt_id));
    put(TASK_ID, text(&call.task_id));
    put(TASK_ID + ELSE, text(&call.default_task));
    put(CONVERSATION_ID, text(&call.conversation_id));
    put(TRACE_ID, text(&call.trace_id));
    put(PARENT_ID, text(&call.parent_id));
    put(USER_ID, text(&call.user_id));
    put(PROVIDER, text(&call.provider));
    put(MODEL, text(&call.model));
    put(PROMPT_ID, text(&call.prompt_id));
    put(PROMPT_VERSION, text(&call.prompt_version));
    put(WHOLE_INPUT, text(&call.input));
    put(WHOLE_OUTPUT, text(&call.output));
    put(TOOL_NAME, text(&call.tool_name));
    put(TTFT_MS, call.ttft_ms.map(Value::Float));
    put(TOKENS_IN, call.usage.tokens_in.map(Value::Int));
    put(TOKENS_OUT, call.usage.tokens_out.map(Value::Int));
    put(TOKENS_CACHE_READ, call.usage.cache_read.map(Value::Int));
    put(TOKENS_CACHE_WRITE, call.usage.cache_write.map(Value::Int));
    put(TOKENS_REASONING, call.usage.reasoning.map(Value::Int));
    put(CURRENCY, call.usage.cost.map(|_| Value::text("USD")));
    put(COST, call.usage.cost.map(Value::money));
    put(FINISH_REASON, text(&call.finish_reason));
    put(ERROR, text(&call.error));
    // Others may have spoken of it before: how it is spelled first depends on no order of arrival.
    cells.push(Cell { slot: INTERACTION_ID, keep: Keep::First, value: Value::text(call.interaction_id.as_str()) });
    let mut attributes: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        call.attributes.iter().map(|(name, json)| (name.into(), json.into())).collect();
    for message in &call.messages {
        let beginning = if message.is_output { OUTPUT_MESSAGE } else { INPUT_MESSAGE };
        let json = serde_json::Value::from(message.text.as_str()).to_string();
        attributes.push((Cow::Owned(format!("{beginning}{}", message.order)), Cow::Owned(json)));
    }
    Change { cells, attributes, step: None }
}

//! `POST /api/public/ingestion`: a batch of events, each about a trace, an observation or a score.

use std::collections::HashMap;

use partitura_event::{ErrorClass, Problem};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::observation::{self, Trace};
use super::score;
use crate::vendor::{Judgement, Span, item, missing, outer};

/// Most events of a batch.
const EVENTS_MAX: usize = 10_000;
/// Kinds of observations, which are the first part of an event's type.
const OBSERVATIONS: &[&str] = &[
    "span",
    "generation",
    "event",
    "agent",
    "tool",
    "chain",
    "retriever",
    "evaluator",
    "embedding",
    "guardrail",
    "observation",
];

/// What one event tells.
#[derive(Debug)]
pub enum Told {
    /// Something of a span.
    Span(Box<Span>),
    /// A score.
    Score(Judgement),
    /// What the SDK logs about itself; it is not kept.
    Log,
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(default)]
    r#type: String,
    timestamp: Option<Value>,
    body: Option<Box<RawValue>>,
}

/// The id of an event, and what it tells or why it was refused.
pub type Answered = (String, Result<Told, Problem>);

/// Reads a batch.
pub fn batch(body: &[u8]) -> Result<Vec<Answered>, Problem> {
    let Batch { batch } = outer(body, "a batch of events")?;
    if batch.len() > EVENTS_MAX {
        let detail = format!("the batch has {} events; at most {EVENTS_MAX} are taken", batch.len());
        return Err(Problem::new(ErrorClass::TooLarge, detail).code("too_many_events").hint("send smaller batches"));
    }
    let mut traces: HashMap<String, Trace> = HashMap::new();
    let mut read: Vec<_> = batch.into_iter().map(|raw| of_event(raw, &mut traces)).collect();
    for (_, told) in &mut read {
        // Whose call it was is known of the trace; a later batch may lack it, and then what is known stays.
        if let Ok(Told::Span(span)) = told
            && let Some(trace) = traces.get(&span.trace)
        {
            trace.hand_down(span);
        }
    }
    Ok(read)
}

fn of_event(raw: &RawValue, traces: &mut HashMap<String, Trace>) -> (String, Result<Told, Problem>) {
    match item::<Event>(raw) {
        Ok(event) => {
            let told = told(&event, traces);
            (event.id, told)
        }
        Err(problem) => (String::new(), Err(problem)),
    }
}

fn told(event: &Event, traces: &mut HashMap<String, Trace>) -> Result<Told, Problem> {
    if event.r#type == "sdk-log" {
        return Ok(Told::Log);
    }
    let body = event.body.as_deref().ok_or_else(|| missing("body"))?;
    match event.r#type.rsplit_once('-') {
        Some(("score", "create")) => Ok(Told::Score(score::judgement(body, event.timestamp.as_ref())?)),
        Some(("trace", "create")) => {
            let (span, trace) = observation::trace(body, event.timestamp.as_ref())?;
            traces.insert(span.trace.clone(), trace);
            Ok(Told::Span(Box::new(span)))
        }
        Some((kind, "create" | "update")) if OBSERVATIONS.contains(&kind) => {
            Ok(Told::Span(Box::new(observation::observation(kind, body, &event.id)?)))
        }
        _ => Err(unknown(&event.r#type)),
    }
}

fn unknown(kind: &str) -> Problem {
    let verbs = |kind: &&str| ["create", "update"].map(|verb| format!("{kind}-{verb}"));
    let known: Vec<_> = OBSERVATIONS.iter().flat_map(verbs).collect();
    let known = known.iter().map(String::as_str).chain(["trace-create", "score-create", "sdk-log"]);
    Problem::new(ErrorClass::Invalid, format!("there is no event of the type {kind:.60?}"))
        .code("unknown_type")
        .suggest(kind, known)
}

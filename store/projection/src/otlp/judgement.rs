//! [`Judgement`]: evaluations that come as events or as attributes of the span that was judged.

use std::collections::BTreeMap;

use super::any::{Any, Attributes};
use super::record::Record;

/// Most judgements of one record; a row has a number below 256.
pub const JUDGEMENTS_MAX: usize = 250;

/// What an evaluator said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Call that was judged, where it is known.
    pub interaction_id: Option<String>,
    /// Thread that was judged, where no call is.
    pub conversation_id: Option<String>,
    /// What was judged.
    pub name: String,
    /// Score.
    pub value: Option<f64>,
    /// Label.
    pub label: Option<String>,
    /// Why.
    pub explanation: Option<String>,
    /// `human`, `code` or `model`.
    pub evaluator: &'static str,
    /// Name of the evaluator.
    pub evaluator_id: Option<String>,
    /// When, µs since 1970.
    pub time: i64,
}

const EVENT: &str = "gen_ai.evaluation.result";
const FLAT: &str = "evaluations.";

/// Returns the judgements of a record. `time` is that of the record: for items that know none.
pub fn judgements(record: &Record, time: i64) -> Vec<Judgement> {
    let mut found = Vec::new();
    for spans in record.resource_spans.iter().flat_map(|resource| &resource.scope_spans) {
        for span in &spans.spans {
            let id = format!("{}-{}", span.trace_id, span.span_id);
            let ended = span.end_time_unix_nano.micros().unwrap_or(time);
            for event in span.events.iter().filter(|event| event.name == EVENT) {
                found.extend(of_event(
                    &event.attributes,
                    Some(id.clone()),
                    event.time_unix_nano.micros().unwrap_or(ended),
                ));
            }
            found.extend(of_attributes(&span.attributes, &id, ended));
        }
    }
    for logs in record.resource_logs.iter().flat_map(|resource| &resource.scope_logs) {
        for log in &logs.log_records {
            let name = log.attributes.get("event.name").and_then(Any::text);
            if log.event_name != EVENT && name.as_deref() != Some(EVENT) {
                continue;
            }
            let id = (!log.span_id.is_empty()).then(|| format!("{}-{}", log.trace_id, log.span_id));
            let at = log.time_unix_nano.micros().or(log.observed_time_unix_nano.micros()).unwrap_or(time);
            found.extend(of_event(&log.attributes, id, at));
        }
    }
    found.truncate(JUDGEMENTS_MAX);
    found
}

fn of_event(attributes: &Attributes, id: Option<String>, time: i64) -> Option<Judgement> {
    let text = |name: &str| attributes.get(name).and_then(Any::text).map(std::borrow::Cow::into_owned);
    let judgement = Judgement {
        interaction_id: id.or_else(|| text("gen_ai.response.id")),
        conversation_id: text("gen_ai.conversation.id"),
        name: text("gen_ai.evaluation.name")?,
        value: attributes.get("gen_ai.evaluation.score.value").and_then(Any::float),
        label: text("gen_ai.evaluation.score.label"),
        explanation: text("gen_ai.evaluation.explanation"),
        evaluator: "model",
        evaluator_id: None,
        time,
    };
    let is_about = judgement.interaction_id.is_some() || judgement.conversation_id.is_some();
    (is_about && (judgement.value.is_some() || judgement.label.is_some())).then_some(judgement)
}

/// Reads `evaluations.0.evaluation.score`, as OpenInference flattens them.
fn of_attributes(attributes: &Attributes, id: &str, time: i64) -> Vec<Judgement> {
    let mut numbered: BTreeMap<u32, Judgement> = BTreeMap::new();
    for (name, value) in attributes.below(FLAT) {
        let Some((number, field)) = name[FLAT.len()..].split_once(".evaluation.") else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        let judgement = numbered.entry(number).or_insert_with(|| Judgement {
            interaction_id: Some(id.to_owned()),
            evaluator: "model",
            time,
            ..Judgement::default()
        });
        let text = || value.text().map(std::borrow::Cow::into_owned);
        match field {
            "name" => judgement.name = text().unwrap_or_default(),
            "score" => judgement.value = value.float(),
            "label" => judgement.label = text(),
            "explanation" => judgement.explanation = text(),
            "identifier" => judgement.evaluator_id = text(),
            "annotator_kind" => {
                judgement.evaluator = match text().unwrap_or_default().to_ascii_uppercase().as_str() {
                    "HUMAN" => "human",
                    "CODE" => "code",
                    _ => "model",
                }
            }
            _ => {}
        }
    }
    let is_whole =
        |judgement: &Judgement| !judgement.name.is_empty() && (judgement.value.is_some() || judgement.label.is_some());
    numbered.into_values().filter(is_whole).collect()
}

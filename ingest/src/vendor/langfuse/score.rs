//! Scores: `POST /api/public/scores`, and `score-create` of a batch.

use partitura_event::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::SOURCE;
use crate::vendor::id::{interaction_id, trace_id};
use crate::vendor::judgement::{Judgement, evaluator, unknown_word};
use crate::vendor::{item, missing, outer};

/// Types of values.
const TYPES: &[&str] = &["NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION"];

/// What was posted.
#[derive(Debug)]
pub struct Scores {
    /// It was one score, not a list of them.
    pub single: bool,
    /// Each, in the order of the body.
    pub items: Vec<Result<Judgement, Problem>>,
}

/// Reads one score, or a list of them.
pub fn scores(body: &[u8]) -> Result<Scores, Problem> {
    let raw: &RawValue = outer(body, "a score or a list of scores")?;
    let single = !raw.get().starts_with('[');
    let all = if single { vec![raw] } else { outer(body, "a list of scores")? };
    Ok(Scores { single, items: all.into_iter().map(|raw| judgement(raw, None)).collect() })
}

/// A score as Langfuse's API describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Score {
    id: Option<String>,
    name: Option<String>,
    value: Option<Value>,
    data_type: Option<String>,
    trace_id: Option<String>,
    observation_id: Option<String>,
    session_id: Option<String>,
    dataset_run_id: Option<String>,
    comment: Option<String>,
    source: Option<String>,
    timestamp: Option<Value>,
    metadata: Option<Value>,
    environment: Option<Value>,
    config_id: Option<Value>,
    queue_id: Option<Value>,
}

/// Reads one score; `time` is that of what carried it.
pub fn judgement(raw: &RawValue, time: Option<&Value>) -> Result<Judgement, Problem> {
    let score: Score = item(raw)?;
    let mut data = Map::new();
    let (name, id) = score.target()?;
    data.insert(name.to_owned(), json!(id));
    data.insert("name".to_owned(), json!(score.name.as_deref().ok_or_else(|| missing("name"))?));
    data.insert("evaluator".to_owned(), json!(score.evaluator()?));
    score.judge(&mut data)?;
    let further = [
        ("data_type", score.data_type.map(Value::from)),
        ("metadata", score.metadata),
        ("environment", score.environment),
        ("config_id", score.config_id),
        ("queue_id", score.queue_id),
    ];
    for (name, value) in further {
        data.extend(value.filter(|value| !value.is_null()).map(|value| (name.to_owned(), value)));
    }
    let time = score.timestamp.filter(|time| !time.is_null()).or_else(|| time.cloned());
    Ok(Judgement { source: SOURCE, id: score.id.filter(|id| !id.is_empty()), time, data })
}

impl Score {
    /// Returns what is judged: the smallest thing that is named.
    fn target(&self) -> Result<(&'static str, String), Problem> {
        match (&self.observation_id, &self.trace_id, &self.session_id, &self.dataset_run_id) {
            (Some(span), Some(trace), ..) => Ok(("interaction_id", interaction_id(trace, span))),
            (Some(_), None, ..) => Err(missing("traceId").hint("an observation is named by its trace and its own id")),
            (None, Some(trace), ..) => Ok(("trace_id", trace_id(trace))),
            (None, None, Some(session), _) => Ok(("conversation_id", session.clone())),
            (None, None, None, Some(run)) => Ok(("experiment_id", run.clone())),
            (None, None, None, None) => {
                Err(missing("traceId").hint("name a trace, an observation, a session or a dataset run"))
            }
        }
    }

    /// Langfuse says how a score came in, not who judged; the member `evaluator` of the metadata says that.
    fn evaluator(&self) -> Result<&'static str, Problem> {
        let named = self.metadata.as_ref().and_then(|metadata| metadata.get("evaluator")).and_then(Value::as_str);
        let word = named.or(self.source.as_deref()).unwrap_or("API");
        evaluator(word).ok_or_else(|| unknown_word("source", word, &["API", "EVAL", "ANNOTATION"]))
    }

    /// Writes value, label or success, and why.
    fn judge(&self, data: &mut Map<String, Value>) -> Result<(), Problem> {
        let value = self.value.as_ref().filter(|value| !value.is_null()).ok_or_else(|| missing("value"))?;
        let kind = self.data_type.as_deref().map(str::to_ascii_uppercase);
        let mut why = self.comment.clone();
        let (name, judged) = match (kind.as_deref(), value) {
            (Some("NUMERIC") | None, Value::Number(_)) => ("value", value.clone()),
            (Some("CATEGORICAL") | None, Value::String(_)) => ("label", value.clone()),
            (Some("BOOLEAN") | None, Value::Bool(_)) => ("success", value.clone()),
            (Some("BOOLEAN"), Value::Number(number)) if number.as_f64() == Some(1.0) => ("success", json!(true)),
            (Some("BOOLEAN"), Value::Number(number)) if number.as_f64() == Some(0.0) => ("success", json!(false)),
            // Prose is no label to group by: it is the explanation.
            (Some(kind @ ("TEXT" | "CORRECTION")), Value::String(text)) => {
                why = Some(why.map_or_else(|| text.clone(), |comment| format!("{text}\n\n{comment}")));
                ("label", json!(kind.to_ascii_lowercase()))
            }
            (Some(kind), _) if !TYPES.contains(&kind) => return Err(unknown_word("dataType", kind, TYPES)),
            (kind, value) => {
                let detail =
                    format!("`value` {:.60} does not go with {}", value.to_string(), kind.unwrap_or("no dataType"));
                return Err(Problem::invalid_field("value", "wrong_type", detail)
                    .hint("NUMERIC takes a number, BOOLEAN 0 or 1, the others a text"));
            }
        };
        data.insert(name.to_owned(), judged);
        data.extend(why.map(|why| ("explanation".to_owned(), json!(why))));
        Ok(())
    }
}

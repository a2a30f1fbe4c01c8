//! [`Judgement`]: a score of another platform, as the data of an `outcome.recorded`.

use partitura_event::{ErrorClass, Problem};
use serde_json::{Map, Value, json};

/// A score, and the id by which the platform knows it: sent with the same id again it takes the place of the former.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Which platform.
    pub source: &'static str,
    /// Its id there; none if the platform draws one.
    pub id: Option<String>,
    /// When it was judged, as sent.
    pub time: Option<Value>,
    /// The data, without ids of its own.
    pub data: Map<String, Value>,
}

impl Judgement {
    /// Returns the stream of all versions of a score.
    pub fn stream(&self, id: &str) -> String {
        format!("outcome/{}/{id}", self.source)
    }

    /// Writes it as an event; `version` counts what was sent under its id, and `supersedes` is the outcome that the
    /// former version is.
    pub fn event(&self, id: &str, version: u64, supersedes: Option<&str>) -> Value {
        let own = if version <= 1 { id.to_owned() } else { format!("{id}~{version}") };
        let mut data = self.data.clone();
        data.insert("outcome_id".to_owned(), json!(own));
        if let Some(former) = supersedes {
            data.insert("supersedes".to_owned(), json!(former));
        }
        let mut event = json!({
            "type": "outcome.recorded", "source": self.source, "id": own, "stream": self.stream(id), "data": data,
        });
        if let Some(time) = &self.time {
            event["time"] = time.clone();
        }
        event
    }
}

/// Returns who judged, as a word of ours; `None` if it is none.
pub fn evaluator(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "human" | "annotation" => Some("human"),
        "model" | "llm" | "eval" => Some("model"),
        "code" | "api" => Some("code"),
        _ => None,
    }
}

/// Refuses a word that is none of the known.
pub fn unknown_word(field: &str, word: &str, known: &[&str]) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("`{field}` is {word:.40?}; it must be one of {}", known.join(", ")))
        .code("unknown_value")
        .suggest(word, known.iter().copied())
}

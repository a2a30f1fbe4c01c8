//! Phoenix: annotations of spans, traces and sessions.

use partitura_event::{Fingerprint, Problem};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::id::{span_id, trace_id};
use super::judgement::{Judgement, evaluator, unknown_word};
use super::{item, missing, outer};

/// Source of annotations.
const SOURCE: &str = "phoenix";
/// Who may annotate.
const KINDS: &[&str] = &["HUMAN", "CODE", "LLM"];

/// What is annotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A span, by its id alone.
    Span,
    /// A trace.
    Trace,
    /// A session.
    Session,
}

/// An annotation.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// The span, where only its trace makes it a name: the judgement has no target yet.
    pub span: Option<String>,
    /// What was judged.
    pub judgement: Judgement,
}

impl Annotation {
    /// Names the call that its span is.
    #[must_use]
    pub fn of_call(mut self, interaction_id: &str) -> Judgement {
        self.judgement.data.insert("interaction_id".to_owned(), json!(interaction_id));
        self.judgement
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Given {
    span_id: Option<String>,
    trace_id: Option<String>,
    session_id: Option<String>,
    name: Option<String>,
    annotator_kind: Option<String>,
    result: Option<Outcome>,
    metadata: Option<Value>,
    #[serde(default)]
    identifier: String,
}

#[derive(Default, Deserialize)]
struct Outcome {
    label: Option<String>,
    score: Option<Value>,
    explanation: Option<String>,
}

/// Reads annotations.
pub fn annotations(body: &[u8], target: Target) -> Result<Vec<Result<Annotation, Problem>>, Problem> {
    let Body { data } = outer(body, "an object with a list of annotations, `data`")?;
    Ok(data.into_iter().map(|raw| annotation(raw, target)).collect())
}

fn annotation(raw: &RawValue, target: Target) -> Result<Annotation, Problem> {
    let given: Given = item(raw)?;
    let some = |id: &Option<String>, name: &str| id.clone().filter(|id| !id.is_empty()).ok_or_else(|| missing(name));
    let name = some(&given.name, "name")?;
    let (span, about, id) = match target {
        Target::Span => {
            let id = span_id(&some(&given.span_id, "span_id")?);
            (Some(id.clone()), None, id)
        }
        Target::Trace => {
            let id = trace_id(&some(&given.trace_id, "trace_id")?);
            (None, Some("trace_id"), id)
        }
        Target::Session => (None, Some("conversation_id"), some(&given.session_id, "session_id")?),
    };
    let word = given.annotator_kind.as_deref().unwrap_or("HUMAN");
    let judge = evaluator(word).ok_or_else(|| unknown_word("annotator_kind", word, KINDS))?;
    // Phoenix knows an annotation by these three.
    let key = Fingerprint::of(json!([id, name, given.identifier]).to_string().as_bytes());
    let mut data = Map::new();
    data.extend(about.map(|about| (about.to_owned(), json!(id))));
    data.extend([("name".to_owned(), json!(name)), ("evaluator".to_owned(), json!(judge))]);
    judged(given.result.unwrap_or_default(), &mut data)?;
    if !given.identifier.is_empty() {
        data.insert("evaluator_id".to_owned(), json!(given.identifier));
    }
    data.extend(given.metadata.filter(|value| !value.is_null()).map(|value| ("metadata".to_owned(), value)));
    let judgement = Judgement { source: SOURCE, id: Some(format!("{key:?}")), time: None, data };
    Ok(Annotation { span, judgement })
}

fn judged(result: Outcome, data: &mut Map<String, Value>) -> Result<(), Problem> {
    let score = result.score.filter(|score| !score.is_null());
    if let Some(score) = &score
        && !score.is_number()
    {
        let detail = format!("`result.score` is {:.60}, which is no number", score.to_string());
        return Err(Problem::invalid_field("result.score", "wrong_type", detail));
    }
    let label = result.label.filter(|label| !label.is_empty()).map(Value::from);
    let explanation = result.explanation.filter(|text| !text.is_empty()).map(Value::from);
    if score.is_none() && label.is_none() && explanation.is_none() {
        return Err(missing("result").hint("give a score, a label or an explanation"));
    }
    // What is only told in words is labelled so.
    let note = (score.is_none() && label.is_none()).then(|| json!("note"));
    let told = [("value", score), ("label", label.or(note)), ("explanation", explanation)];
    data.extend(told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(())
}

//! Conditions of verdict policies over outcomes, artifacts and the result of a piece of work.
//!
//! A condition may be undecided: it asks for an outcome that nobody gave. Then the next evaluator of the
//! policy is heard; so the logic has three values.

use serde_json::Value;

/// One judgement, the newest last in a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub name: String,
    pub evaluator: String,
    pub value: Option<f64>,
    pub label: Option<String>,
    pub success: Option<bool>,
}

/// One artifact in its latest state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Artifact {
    pub kind: Option<String>,
    pub state: Option<String>,
}

/// Everything that a condition may ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub outcomes: Vec<Outcome>,
    pub artifacts: Vec<Artifact>,
    pub result: Option<String>,
}

/// What a piece of work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    Accepted,
    Partial,
    Rejected,
}

impl Ruling {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Partial => "partial",
            Self::Rejected => "rejected",
        }
    }
}

/// Judges `condition` as `evaluator` sees it; `None` when it is undecided.
pub(crate) fn judge(condition: &Value, evidence: &Evidence, evaluator: &str) -> Option<Ruling> {
    match condition {
        Value::String(text) if text == "success" => outcome(&Value::Null, evidence, evaluator),
        Value::Object(object) if object.len() == 1 => {
            let (name, inner) = object.iter().next()?;
            match name.as_str() {
                "all" => all(inner.as_array()?, evidence, evaluator),
                "any" => any(inner.as_array()?, evidence, evaluator),
                "not" => judge(inner, evidence, evaluator).map(|ruling| truth(ruling != Ruling::Accepted)),
                "outcome" => outcome(inner, evidence, evaluator),
                "artifact" => Some(truth(artifact(inner, evidence))),
                "result" => evidence.result.as_deref().map(|result| truth(Some(result) == inner.as_str())),
                _ => None,
            }
        }
        _ => None,
    }
}

const fn truth(holds: bool) -> Ruling {
    if holds { Ruling::Accepted } else { Ruling::Rejected }
}

fn all(parts: &[Value], evidence: &Evidence, evaluator: &str) -> Option<Ruling> {
    let mut least = Some(Ruling::Accepted);
    for part in parts {
        match (judge(part, evidence, evaluator), least) {
            (Some(Ruling::Rejected), _) => return Some(Ruling::Rejected),
            (None, _) => least = None,
            (Some(Ruling::Partial), Some(_)) => least = Some(Ruling::Partial),
            _ => {}
        }
    }
    least
}

fn any(parts: &[Value], evidence: &Evidence, evaluator: &str) -> Option<Ruling> {
    let mut best = Some(Ruling::Rejected);
    for part in parts {
        match (judge(part, evidence, evaluator), best) {
            (Some(Ruling::Accepted), _) => return Some(Ruling::Accepted),
            (None, _) => best = None,
            (Some(Ruling::Partial), Some(_)) => best = Some(Ruling::Partial),
            _ => {}
        }
    }
    best
}

fn artifact(wanted: &Value, evidence: &Evidence) -> bool {
    let same = |name: &str, given: &Option<String>| match (wanted.get(name).and_then(Value::as_str), given) {
        (Some(wanted), Some(given)) => wanted.eq_ignore_ascii_case(given),
        (Some(_), None) => false,
        (None, _) => true,
    };
    evidence.artifacts.iter().any(|artifact| same("kind", &artifact.kind) && same("state", &artifact.state))
}

/// Judges by the newest outcome that matches name and evaluator and says anything.
fn outcome(wanted: &Value, evidence: &Evidence, evaluator: &str) -> Option<Ruling> {
    let evaluator = wanted.get("evaluator").and_then(Value::as_str).unwrap_or(evaluator);
    let name = wanted.get("name").and_then(Value::as_str);
    let matching = evidence.outcomes.iter().rev().filter(|outcome| {
        outcome.evaluator.eq_ignore_ascii_case(evaluator)
            && name.is_none_or(|name| outcome.name.eq_ignore_ascii_case(name))
    });
    let number = |key: &str| wanted.get(key).and_then(Value::as_f64);
    let (at_least, at_most) = (number("at_least"), number("at_most"));
    let label = wanted.get("label").and_then(Value::as_str);
    let success = wanted.get("success").and_then(Value::as_bool);
    if at_least.is_none() && at_most.is_none() && label.is_none() {
        let said = matching.into_iter().find_map(own_ruling)?;
        return Some(match success {
            Some(false) => truth(said == Ruling::Rejected),
            _ => said,
        });
    }
    for outcome in matching {
        let mut checks = Vec::new();
        if let Some(bound) = at_least {
            checks.push(outcome.value.map(|value| value >= bound));
        }
        if let Some(bound) = at_most {
            checks.push(outcome.value.map(|value| value <= bound));
        }
        if let Some(wanted) = label {
            checks.push(outcome.label.as_deref().map(|label| label.eq_ignore_ascii_case(wanted)));
        }
        if let Some(wanted) = success {
            checks.push(own_ruling(outcome).map(|ruling| (ruling == Ruling::Accepted) == wanted));
        }
        if let Some(decided) = checks.into_iter().collect::<Option<Vec<_>>>() {
            return Some(truth(decided.into_iter().all(|holds| holds)));
        }
    }
    None
}

/// Returns what an outcome says by itself: its `success`, else a label that everybody reads alike.
fn own_ruling(outcome: &Outcome) -> Option<Ruling> {
    let label = outcome.label.as_deref().map(str::to_ascii_lowercase);
    if label.as_deref() == Some("partial") {
        return Some(Ruling::Partial);
    }
    if let Some(success) = outcome.success {
        return Some(truth(success));
    }
    match label?.as_str() {
        "accepted" | "approved" | "pass" | "passed" | "success" | "succeeded" | "correct" | "resolved" => {
            Some(Ruling::Accepted)
        }
        "rejected" | "fail" | "failed" | "failure" | "incorrect" | "unresolved" => Some(Ruling::Rejected),
        _ => None,
    }
}

//! Verdict policies: who decides what a piece of work came to, and when that is settled.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use partitura_event::Timestamp;
use serde_json::Value;

use super::condition::{Evidence, Ruling, judge};

/// Reads the workspace's policies.
pub(crate) const SQL: &str = "SELECT task_type, evaluators, success, settle_minutes FROM base.verdict_policies";

/// The evaluator that stands for the work's own result.
const OWN_RESULT: &str = "attempt";

/// One policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    evaluators: Vec<String>,
    success: Value,
    settle_micros: i64,
}

impl Default for Policy {
    fn default() -> Self {
        let evaluators = ["human", "code", "model", OWN_RESULT].map(str::to_owned).to_vec();
        Self { evaluators, success: Value::String("success".to_owned()), settle_micros: 0 }
    }
}

/// What was decided, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `accepted`, `partial`, `rejected` or `pending`.
    pub verdict: &'static str,
    /// `human`, `code`, `model`, `attempt` or `artifact`; nobody while it is pending.
    pub by: Option<String>,
}

/// The policies of a workspace.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    by_type: HashMap<String, Policy>,
    other: Policy,
}

impl Policies {
    pub fn new(batches: &[RecordBatch]) -> Result<Self> {
        let mut policies = Self::default();
        for batch in batches {
            let types = cast(batch.column(0), &DataType::Utf8)?;
            let evaluators = batch.column(1).as_list::<i32>();
            let conditions = cast(batch.column(2), &DataType::Utf8)?;
            let settle = batch.column(3).as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let mut policy = Policy::default();
                if !evaluators.is_null(row) && !evaluators.value(row).is_empty() {
                    let names = cast(&evaluators.value(row), &DataType::Utf8)?;
                    policy.evaluators = names.as_string::<i32>().iter().flatten().map(str::to_lowercase).collect();
                }
                if !conditions.is_null(row)
                    && let Ok(condition) = serde_json::from_str(conditions.as_string::<i32>().value(row))
                {
                    policy.success = condition;
                }
                if !settle.is_null(row) {
                    policy.settle_micros = (settle.value(row) * 60e6).clamp(0.0, 9e15) as i64;
                }
                match types.is_null(row) {
                    true => policies.other = policy,
                    false => {
                        let task_type = types.as_string::<i32>().value(row).to_lowercase();
                        policies.by_type.insert(task_type, policy);
                    }
                }
            }
        }
        Ok(policies)
    }

    /// Decides about a piece of work that ended at `ended_at`; `None` when there is nothing to judge:
    /// it was cancelled or superseded, and nobody said anything about it.
    pub fn decide(
        &self,
        task_type: Option<&str>,
        evidence: &Evidence,
        ended_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Verdict> {
        let own = task_type.and_then(|name| self.by_type.get(&name.to_lowercase()));
        let policy = own.unwrap_or(&self.other);
        let settled = match ended_at {
            Some(ended) => ended.micros().saturating_add(policy.settle_micros) <= now.micros(),
            None => false,
        };
        let pending = Verdict { verdict: "pending", by: None };
        match policy.ruling(evidence, ended_at.is_some()) {
            // Until it is settled, only the first of the policy's evaluators has the last word.
            Some((_, rank, _)) if policy.settle_micros > 0 && rank > 0 && !settled => Some(pending),
            Some((ruling, _, by)) => Some(Verdict { verdict: ruling.word(), by: Some(by) }),
            None if ended_at.is_some() && !evidence.result.as_deref().is_some_and(is_judged) => None,
            None => Some(pending),
        }
    }
}

impl Policy {
    /// Returns the ruling of the first evaluator that has one, with its rank.
    fn ruling(&self, evidence: &Evidence, ended: bool) -> Option<(Ruling, usize, String)> {
        if !asks_for_outcome(&self.success) {
            let ruling = judge(&self.success, evidence, "");
            return ruling.filter(|ruling| ended || *ruling == Ruling::Accepted).map(|r| (r, 0, "artifact".to_owned()));
        }
        self.evaluators.iter().enumerate().find_map(|(rank, evaluator)| {
            let ruling = match evaluator.as_str() {
                OWN_RESULT => evidence.result.as_deref().filter(|_| ended).and_then(of_result),
                evaluator if has_spoken(evidence, evaluator) => judge(&self.success, evidence, evaluator),
                // A pull request that is not merged does not reject work that nobody has looked at.
                _ => None,
            };
            ruling.map(|ruling| (ruling, rank, evaluator.clone()))
        })
    }
}

fn has_spoken(evidence: &Evidence, evaluator: &str) -> bool {
    evidence.outcomes.iter().any(|outcome| outcome.evaluator.eq_ignore_ascii_case(evaluator))
}

fn of_result(result: &str) -> Option<Ruling> {
    match result {
        "succeeded" => Some(Ruling::Accepted),
        "partial" => Some(Ruling::Partial),
        "failed" | "abandoned" => Some(Ruling::Rejected),
        _ => None,
    }
}

/// Returns whether somebody may still say something about work that ended like this.
fn is_judged(result: &str) -> bool {
    of_result(result).is_some()
}

fn asks_for_outcome(condition: &Value) -> bool {
    match condition {
        Value::String(_) => true,
        Value::Object(object) => object.iter().any(|(name, inner)| name == "outcome" || asks_for_outcome(inner)),
        Value::Array(items) => items.iter().any(asks_for_outcome),
        _ => false,
    }
}

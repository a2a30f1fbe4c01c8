//! Google's Agent Development Kit: the general convention, and a span of its own around each call of a model, which
//! repeats the usage of the one within it.

use super::{Reading, Sort, gen_ai};
use crate::otlp::subject::Subject;

const SCOPE: &str = "gcp.vertex.agent";

/// Reads what the library `gcp.vertex.agent` sends.
pub fn read(subject: &Subject<'_>) -> Reading {
    if subject.scope.name != SCOPE && !subject.has_below("gcp.vertex.agent.") {
        return Reading::Unknown;
    }
    let base = match gen_ai::read(subject) {
        Reading::Call(sort) => sort,
        Reading::Unknown if subject.log.is_some() => return Reading::NoCall,
        Reading::Unknown if subject.name == "call_llm" => Sort::of("llm"),
        Reading::Unknown => Sort::of("workflow"),
        other => return other,
    };
    let begins = base.kind == "llm" && subject.has(&["gcp.vertex.agent.invocation_id"]);
    Reading::Call(Sort { task: Some("gcp.vertex.agent.invocation_id"), begins, ..base })
}

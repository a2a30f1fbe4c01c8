//! Google's Agent Development Kit: the general convention. Its older form has a span of its own around each call of a
//! model, which repeats the usage of the one within it. An invocation is a task; only calls of models name it, and
//! tools and agents stand beside them, so the trace stands for it.

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
    let begins = base.kind == "llm" && subject.span.is_some() && subject.has(&["gcp.vertex.agent.invocation_id"]);
    Reading::Call(Sort { task_is_trace: true, is_task: is_invocation(subject), begins, ..base })
}

/// Returns whether it is a whole invocation, and not one that an agent makes within another.
fn is_invocation(subject: &Subject<'_>) -> bool {
    let is_root = subject.span.is_some_and(|span| span.parent_span_id.is_empty());
    is_root && (subject.name == "invocation" || subject.name.starts_with("invoke_workflow"))
}

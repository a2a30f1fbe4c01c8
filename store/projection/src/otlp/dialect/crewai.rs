//! CrewAI's own tracer: the general convention, with attributes of crews, tasks and agents beside it. The span of a
//! task is the work on it.

use super::{Reading, Sort, gen_ai};
use crate::otlp::subject::Subject;

/// Spans without an operation, by what their attributes begin with.
const KINDS: &[(&str, &str)] = &[
    ("crewai.memory.", "memory"),
    ("crewai.knowledge.", "retrieval"),
    ("crewai.llm.", "llm"),
    ("crewai.mcp.tool_name", "tool"),
];

/// Reads what has attributes of CrewAI. Traceloop's instrumentation has them too, and says so.
pub fn read(subject: &Subject<'_>) -> Reading {
    if !subject.has_below("crewai.") || subject.has(&["traceloop.span.kind", "llm.request.type"]) {
        return Reading::Unknown;
    }
    if subject.log.is_some() {
        // Its log lines repeat what its spans say.
        return Reading::NoCall;
    }
    let sort = match gen_ai::read(subject) {
        Reading::Call(sort) => sort,
        _ => {
            let known = KINDS.iter().find(|(beginning, _)| subject.has_below(beginning));
            Sort::of(known.map_or("workflow", |(_, kind)| kind))
        }
    };
    let is_task =
        subject.name == "execute task" || subject.text(&["gen_ai.operation.name"]).as_deref() == Some("execute_task");
    let failed = sort.failed || subject.has_below("crewai.tool.failure.");
    Reading::Call(Sort { is_task: is_task && subject.has(&["crewai.task.id"]), failed, ..sort })
}

//! CrewAI's own tracer, and Traceloop's instrumentation of it: the general convention, with attributes of crews, tasks
//! and agents beside it. The span of a task is the work on it.

use super::{Reading, Sort, framework, gen_ai};
use crate::otlp::subject::Subject;

/// Spans without an operation, by what their attributes begin with.
const KINDS: &[(&str, &str)] = &[
    ("crewai.memory.", "memory"),
    ("crewai.knowledge.", "retrieval"),
    ("crewai.llm.", "llm"),
    ("crewai.mcp.tool_name", "tool"),
];

/// Reads what has attributes of CrewAI.
pub fn read(subject: &Subject<'_>) -> Reading {
    if !subject.has_below("crewai.") || subject.has(&["llm.request.type"]) {
        return Reading::Unknown;
    }
    if subject.log.is_some() {
        // Its log lines repeat what its spans say.
        return Reading::NoCall;
    }
    let sort = match (gen_ai::read(subject), framework::traceloop(subject)) {
        (Reading::Call(sort), _) | (_, Reading::Call(sort)) => sort,
        _ => {
            let known = KINDS.iter().find(|(beginning, _)| subject.has_below(beginning));
            Sort::of(known.map_or("workflow", |(_, kind)| kind))
        }
    };
    // Traceloop calls crews and tasks agents too.
    let kind = if sort.kind == "agent" && !subject.has_below("crewai.agent.") { "workflow" } else { sort.kind };
    let is = |name: &str, word: &str| subject.text(&[name]).as_deref() == Some(word);
    let is_task = subject.name == "execute task"
        || is("gen_ai.operation.name", "execute_task")
        || is("traceloop.span.kind", "task");
    let failed = sort.failed || subject.has_below("crewai.tool.failure.");
    Reading::Call(Sort { kind, is_task: is_task && subject.has(&["crewai.task.id"]), failed, ..sort })
}

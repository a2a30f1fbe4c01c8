//! OpenTelemetry's conventions for generative AI, in all their generations.

use super::{Reading, Sort};
use crate::otlp::names::agent_of_service;
use crate::otlp::subject::Subject;
use crate::otlp::text::{is_input, is_output};

/// GitHub Copilot: the general convention, by a service that is an agent itself.
pub fn copilot(subject: &Subject<'_>) -> Reading {
    if agent_of_service(subject.service()) != Some("copilot") {
        return Reading::Unknown;
    }
    match read(subject) {
        // Its event of details repeats the span of a call: but it may name the span of the agent around it, or none.
        Reading::Call(sort) => match subject.log {
            Some(log) if log.span_id.is_empty() => Reading::NoCall,
            log => Reading::Call(Sort { agent: Some("copilot"), twin: sort.twin || log.is_some(), ..sort }),
        },
        Reading::Unknown if subject.log.is_some() => Reading::NoCall,
        other => other,
    }
}

/// What names its operation, and its events.
pub fn read(subject: &Subject<'_>) -> Reading {
    if subject.log.is_some() {
        return of_event(subject);
    }
    if subject.has(&["ai.operationId"]) {
        return Reading::Unknown;
    }
    let failed = subject.has(&["error.type"]);
    if let Some(operation) = subject.text(&["gen_ai.operation.name"]) {
        // An operation of a framework's own: what usage it has is the sum of the calls below it.
        let kind = of_operation(&operation).unwrap_or("workflow");
        return Reading::Call(Sort { failed, ..Sort::of(kind) });
    }
    match subject.text(&["mcp.method.name"]).as_deref() {
        Some("tools/call") => Reading::Call(Sort { failed, ..Sort::of("tool") }),
        Some(_) => Reading::Call(Sort { failed, ..Sort::of("workflow") }),
        None => Reading::Unknown,
    }
}

/// What names no operation: forms that are older than its name, and frameworks that leave it out.
pub fn old(subject: &Subject<'_>) -> Reading {
    if subject.log.is_some() {
        return Reading::Unknown;
    }
    // Usage alone makes no call: groups repeat the sums of the calls below them.
    let is_model = ["gen_ai.request.", "gen_ai.response.", "gen_ai.prompt", "llm.token_count."];
    let kind = if subject.has(&["gen_ai.tool.name", "gen_ai.tool.call.id"]) || subject.name == "running tool" {
        "tool"
    } else if subject.has(&["agent_name"])
        || subject.has_below("gen_ai.agent.") && !subject.has(&["gen_ai.request.model"])
    {
        "agent"
    } else if subject.has(&["gen_ai.system", "gen_ai.provider.name"]) || is_model.iter().any(|at| subject.has_below(at))
    {
        if subject.name.to_ascii_lowercase().contains("embed") { "embedding" } else { "llm" }
    } else if subject.has_below("gen_ai.task.") || subject.has_below("crewai.") {
        "workflow"
    } else {
        return Reading::Unknown;
    };
    Reading::Call(Sort::of(kind))
}

fn of_operation(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "chat" | "generate_content" | "text_completion" | "completion" | "generate" | "response" | "llm_call" => "llm",
        "embeddings" | "embedding" => "embedding",
        "retrieval" | "rerank" => "retrieval",
        "execute_tool" | "tool_call" => "tool",
        "create_agent" | "invoke_agent" | "agent_call" => "agent",
        "search_memory"
        | "create_memory"
        | "update_memory"
        | "upsert_memory"
        | "delete_memory"
        | "create_memory_store"
        | "delete_memory_store" => "memory",
        "invoke_workflow"
        | "agent_step"
        | "execute_task"
        | "execute_method"
        | "plan"
        | "user_prompt"
        | "system_prompt"
        | "schedule_tool_calls"
        | "content_event"
        | "execute_hook" => "workflow",
        _ => return None,
    })
}

fn of_event(subject: &Subject<'_>) -> Reading {
    match subject.name {
        "gen_ai.client.inference.operation.details" => {
            let operation = subject.text(&["gen_ai.operation.name"]);
            let kind = operation.as_deref().and_then(of_operation).unwrap_or("llm");
            Reading::Call(Sort { failed: subject.has(&["error.type"]), ..Sort::of(kind) })
        }
        name if is_input(name) => Reading::Message(false),
        name if is_output(name) => Reading::Message(true),
        name if name.starts_with("gen_ai.") => Reading::NoCall,
        _ => Reading::Unknown,
    }
}

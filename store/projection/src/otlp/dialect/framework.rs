//! Conventions of frameworks and platforms that name the kind of a call in one attribute.

use super::{Reading, Sort};
use crate::otlp::subject::Subject;

/// Reads a kind by a table: words and kinds, and the kind of all other words.
fn by_word(subject: &Subject<'_>, name: &str, table: &[(&str, &'static str)]) -> Reading {
    let Some(word) = subject.text(&[name]) else { return Reading::Unknown };
    let word = word.trim_matches('"').to_ascii_lowercase();
    let kind = table.iter().find(|(known, _)| *known == word).map_or("workflow", |(_, kind)| kind);
    Reading::Call(Sort::of(kind))
}

/// Langfuse's own attributes.
pub fn langfuse(subject: &Subject<'_>) -> Reading {
    const KINDS: &[(&str, &str)] = &[
        ("generation", "llm"),
        ("embedding", "embedding"),
        ("agent", "agent"),
        ("tool", "tool"),
        ("retriever", "retrieval"),
    ];
    match by_word(subject, "langfuse.observation.type", KINDS) {
        Reading::Unknown if subject.has_below("langfuse.observation.") => {
            let is_model = subject.has(&["langfuse.observation.model.name", "langfuse.observation.usage_details"]);
            Reading::Call(Sort::of(if is_model { "llm" } else { "workflow" }))
        }
        Reading::Call(sort) => {
            let failed = subject.text(&["langfuse.observation.level"]).is_some_and(|level| level == "ERROR");
            Reading::Call(Sort { failed, ..sort })
        }
        other => other,
    }
}

/// OpenInference, as Phoenix and its instrumentations send it.
pub fn openinference(subject: &Subject<'_>) -> Reading {
    const KINDS: &[(&str, &str)] = &[
        ("llm", "llm"),
        ("embedding", "embedding"),
        ("agent", "agent"),
        ("tool", "tool"),
        ("retriever", "retrieval"),
        ("reranker", "retrieval"),
    ];
    let scope = subject.scope.name.as_str();
    match by_word(subject, "openinference.span.kind", KINDS) {
        // The root of a run of the OpenAI Agents SDK is called an agent and is none; a hand-off is called a tool.
        Reading::Call(sort) if scope.ends_with(".openai_agents") => {
            let is_root = sort.kind == "agent" && !subject.has(&["agent.name", "graph.node.id"]);
            let is_handoff = sort.kind == "tool" && subject.name.starts_with("handoff");
            Reading::Call(if is_root || is_handoff { Sort::of("workflow") } else { sort })
        }
        // Of CrewAI's spans that are called agents one is the work on a task: it names both, in one of two ways.
        Reading::Call(sort) => {
            let is_crew = subject.has(&["task_key", "agent_key"]);
            Reading::Call(Sort { is_task: is_crew && subject.has(&["task_id"]), ..sort })
        }
        other => other,
    }
}

/// LangSmith's exporter.
pub fn langsmith(subject: &Subject<'_>) -> Reading {
    const KINDS: &[(&str, &str)] =
        &[("llm", "llm"), ("embedding", "embedding"), ("tool", "tool"), ("retriever", "retrieval")];
    by_word(subject, "langsmith.span.kind", KINDS)
}

/// MLflow's exporter.
pub fn mlflow(subject: &Subject<'_>) -> Reading {
    const KINDS: &[(&str, &str)] = &[
        ("llm", "llm"),
        ("chat_model", "llm"),
        ("embedding", "embedding"),
        ("agent", "agent"),
        ("tool", "tool"),
        ("retriever", "retrieval"),
        ("reranker", "retrieval"),
        ("memory", "memory"),
    ];
    by_word(subject, "mlflow.spanType", KINDS)
}

/// Traceloop (OpenLLMetry).
pub fn traceloop(subject: &Subject<'_>) -> Reading {
    const KINDS: &[(&str, &str)] = &[("agent", "agent"), ("tool", "tool")];
    const REQUESTS: &[(&str, &str)] =
        &[("chat", "llm"), ("completion", "llm"), ("embedding", "embedding"), ("rerank", "retrieval")];
    let reading = match by_word(subject, "llm.request.type", REQUESTS) {
        Reading::Unknown => by_word(subject, "traceloop.span.kind", KINDS),
        request => request,
    };
    match reading {
        Reading::Call(sort) => Reading::Call(Sort { is_task: subject.has(&["gen_ai.task.id"]), ..sort }),
        other => other,
    }
}

/// The Vercel AI SDK's own attributes. The outer span of each call repeats the totals of the inner ones.
pub fn vercel_ai(subject: &Subject<'_>) -> Reading {
    let Some(operation) = subject.text(&["ai.operationId"]) else { return Reading::Unknown };
    let kind = match operation.rsplit('.').next().unwrap_or_default() {
        "doGenerate" | "doStream" => "llm",
        "doEmbed" => "embedding",
        "doRerank" => "retrieval",
        "toolCall" => "tool",
        _ => "workflow",
    };
    Reading::Call(Sort::of(kind))
}

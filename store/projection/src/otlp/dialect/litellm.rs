//! LiteLLM, as a library and as a proxy: the general convention, with costs of its own. Its spans of databases,
//! caches and guardrails are no calls.

use super::{Reading, Sort, gen_ai};
use crate::otlp::subject::Subject;

/// Functions of the library that call something, which its older spans name as operations.
const FUNCTIONS: &[(&str, &str)] = &[
    ("completion", "llm"),
    ("text_completion", "llm"),
    ("responses", "llm"),
    ("anthropic_messages", "llm"),
    ("generate_content", "llm"),
    ("generate_content_stream", "llm"),
    ("embedding", "embedding"),
    ("rerank", "retrieval"),
    ("call_mcp_tool", "tool"),
];

/// Reads what the library `litellm` sends.
pub fn read(subject: &Subject<'_>) -> Reading {
    if subject.scope.name != "litellm" && !subject.has_below("litellm.") {
        return Reading::Unknown;
    }
    match gen_ai::read(subject) {
        Reading::Unknown if subject.log.is_some() => Reading::NoCall,
        // Still older ones name no operation, and write the provider's own request into a span within.
        Reading::Unknown if subject.has(&["gen_ai.request.model"]) && subject.name != "raw_gen_ai_request" => {
            Reading::Call(Sort::of("llm"))
        }
        Reading::Unknown => Reading::NoCall,
        Reading::Call(sort) => Reading::Call(Sort { kind: function(subject).unwrap_or(sort.kind), ..sort }),
        other => other,
    }
}

fn function(subject: &Subject<'_>) -> Option<&'static str> {
    let operation = subject.text(&["gen_ai.operation.name"])?;
    // Those that are awaited have an `a` before their name.
    let is_of = |name: &str| operation == name || operation.strip_prefix('a') == Some(name);
    FUNCTIONS.iter().find(|(name, _)| is_of(name)).map(|(_, kind)| *kind)
}

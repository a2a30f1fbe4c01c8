//! LiteLLM, as a library and as a proxy: the general convention, with costs of its own. Its spans of databases,
//! caches and guardrails are no calls.

use super::{Reading, Sort, gen_ai};
use crate::otlp::subject::Subject;

/// Reads what the library `litellm` sends.
pub fn read(subject: &Subject<'_>) -> Reading {
    if subject.scope.name != "litellm" && !subject.has_below("litellm.") {
        return Reading::Unknown;
    }
    match gen_ai::read(subject) {
        Reading::Unknown if subject.log.is_some() => Reading::NoCall,
        // Older versions name no operation, and write the provider's own request into a span within.
        Reading::Unknown if subject.has(&["gen_ai.request.model"]) && subject.name != "raw_gen_ai_request" => {
            Reading::Call(Sort::of("llm"))
        }
        Reading::Unknown => Reading::NoCall,
        other => other,
    }
}

//! Pydantic AI, also through Logfire: the general convention; older versions name agents and tools by their spans.

use super::{Reading, Sort, gen_ai};
use crate::otlp::subject::Subject;

/// Reads what the library `pydantic-ai` sends.
pub fn read(subject: &Subject<'_>) -> Reading {
    if subject.scope.name != "pydantic-ai" {
        return Reading::Unknown;
    }
    match gen_ai::read(subject) {
        Reading::Unknown if subject.log.is_some() => Reading::NoCall,
        Reading::Unknown => match gen_ai::old(subject) {
            Reading::Call(sort) => Reading::Call(sort),
            // Around several tools at once.
            _ => Reading::Call(Sort::of("workflow")),
        },
        other => other,
    }
}

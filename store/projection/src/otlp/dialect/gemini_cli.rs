//! Gemini CLI and its forks: its events. Its spans and standard events tell of the same calls: a call of a model is
//! told by its event alone; all other spans are groups.

use super::{Reading, Sort, gen_ai};
use crate::otlp::subject::Subject;

/// Reads what the services `gemini-cli` and `qwen-code` send.
pub fn read(subject: &Subject<'_>) -> Reading {
    let (agent, provider) = match subject.service() {
        "gemini-cli" => ("gemini-cli", "gcp.gemini"),
        "qwen-code" => ("qwen-code", "qwen"),
        _ => return Reading::Unknown,
    };
    let base = Sort { agent: Some(agent), provider: Some(provider), task: Some("prompt_id"), ..Sort::default() };
    if subject.log.is_none() {
        return match gen_ai::read(subject) {
            Reading::Call(sort) if sort.kind == "llm" => Reading::NoCall,
            Reading::Call(sort) => {
                let kind = if sort.kind == "tool" { "workflow" } else { sort.kind };
                Reading::Call(Sort { kind, failed: sort.failed, twin: true, ..base })
            }
            other => other,
        };
    }
    let name = subject.name.split_once("_cli.").map_or(subject.name, |(_, name)| name);
    let name = name.strip_prefix("qwen-code.").unwrap_or(name);
    let failed = subject.text(&["success"]).is_some_and(|word| word == "false");
    Reading::Call(match name {
        "api_response" => Sort { kind: "llm", ..base },
        "api_error" => Sort { kind: "llm", failed: true, ..base },
        "tool_call" => Sort { kind: "tool", failed, ..base },
        "user_prompt" => Sort { kind: "agent", is_task: subject.has(&["prompt_id"]), begins: true, ..base },
        _ => return Reading::NoCall,
    })
}

//! Claude Code: its own events, and spans that tell of the same calls. Tokens in leave cached ones out.

use super::{Reading, Sort};
use crate::otlp::subject::Subject;

/// Reads what the service `claude-code` sends.
pub fn read(subject: &Subject<'_>) -> Reading {
    if subject.service() != "claude-code" {
        return Reading::Unknown;
    }
    let name = subject.name.strip_prefix("claude_code.").unwrap_or(subject.name);
    let base = Sort {
        without_cache: true,
        agent: Some("claude-code"),
        provider: Some("anthropic"),
        task: Some("prompt.id"),
        ..Sort::default()
    };
    let named = |what: &str, names: &[&str]| subject.text(names).map(|id| format!("{what}/{id}"));
    let failed = subject.text(&["success"]).is_some_and(|word| word == "false");
    let request = || named("request", &["request_id", "gen_ai.response.id"]);
    Reading::Call(match name {
        "api_request" => Sort { kind: "llm", id: request(), ..base },
        "llm_request" => Sort { kind: "llm", id: request(), failed, ..base },
        "assistant_response" => match request() {
            Some(id) => Sort { kind: "llm", id: Some(id), ..base },
            None => return Reading::NoCall,
        },
        "api_error" | "api_retries_exhausted" | "api_refusal" => {
            Sort { kind: "llm", id: named("failed", &["request_id"]), failed: true, ..base }
        }
        "tool_result" | "tool" => Sort { kind: "tool", id: named("tool", &["tool_use_id"]), failed, ..base },
        "interaction" => {
            let id = named("prompt", &["prompt.id"]);
            Sort { kind: "agent", is_task: id.is_some(), id, ..base }
        }
        "user_prompt" => match named("prompt", &["prompt.id"]) {
            Some(id) => Sort { kind: "agent", id: Some(id), is_task: true, begins: true, ..base },
            None => return Reading::NoCall,
        },
        "tool.execution" => Sort { kind: "workflow", ..base },
        _ => return Reading::NoCall,
    })
}

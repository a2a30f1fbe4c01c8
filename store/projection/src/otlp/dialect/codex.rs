//! Codex: its events. Of the events of a stream only the last one with counts is a call.

use super::{Reading, Sort};
use crate::otlp::names::agent_of_service;
use crate::otlp::subject::Subject;

/// Reads what Codex sends.
pub fn read(subject: &Subject<'_>) -> Reading {
    if agent_of_service(subject.service()) != Some("codex") {
        return Reading::Unknown;
    }
    if subject.log.is_none() {
        // Its spans are of its own machinery, and tell nothing of a call that events do not.
        return Reading::NoCall;
    }
    let base = Sort { agent: Some("codex"), provider: Some("openai"), ..Sort::default() };
    let failed = subject.text(&["success"]).is_some_and(|word| word == "false");
    Reading::Call(match subject.name {
        "codex.sse_event" | "codex.websocket_event" => {
            let is_done = subject.text(&["event.kind"]).is_some_and(|kind| kind == "response.completed");
            if !is_done || !subject.has(&["input_token_count"]) {
                return Reading::NoCall;
            }
            Sort { kind: "llm", ..base }
        }
        "codex.api_request" => match subject.int(&["http.response.status_code"]) {
            Some(status) if status >= 400 => Sort { kind: "llm", failed: true, ..base },
            _ => return Reading::NoCall,
        },
        "codex.tool_result" => {
            let id = subject.text(&["call_id"]).map(|id| format!("tool/{id}"));
            Sort { kind: "tool", id, failed, ..base }
        }
        "codex.user_prompt" => Sort { kind: "agent", begins: true, ..base },
        _ => return Reading::NoCall,
    })
}

//! [`Call`]: one call as every convention is translated to.

use super::usage::Usage;

/// Version of the translation. It rises when the same records give other rows; `rebuild` then re-maps the past.
pub const VERSION: u32 = 1;

/// One call, or what a log event adds to one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Which call; what tells of one call has one id: `{trace_id}-{span_id}`, else `{convention}/…` with an id of
    /// the provider, else with a hash.
    pub interaction_id: String,
    /// It is told by a log event: if a span tells of it too, the span's word counts.
    pub from_log: bool,
    /// `llm`, `tool`, …
    pub kind: &'static str,
    /// Convention it was read by.
    pub convention: &'static str,
    /// When it ended, µs since 1970.
    pub time: i64,
    /// When it began, µs since 1970.
    pub started_at: Option<i64>,
    /// Agent that is named.
    pub agent_id: Option<String>,
    /// Agent whose service it is, where none is named.
    pub default_agent: Option<&'static str>,
    /// Task that is named.
    pub task_id: Option<String>,
    /// What stands for the task where none is named.
    pub default_task: Option<String>,
    /// Attempt.
    pub attempt_id: Option<String>,
    /// Thread.
    pub conversation_id: Option<String>,
    /// Trace.
    pub trace_id: Option<String>,
    /// Call that made this one.
    pub parent_id: Option<String>,
    /// Person on whose behalf it is made.
    pub user_id: Option<String>,
    /// Who runs the model.
    pub provider: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Prompt template.
    pub prompt_id: Option<String>,
    /// Version of the template.
    pub prompt_version: Option<String>,
    /// What went in.
    pub input: Option<String>,
    /// What came out.
    pub output: Option<String>,
    /// Messages of which what went in and out consist, each with what orders it; told one by one by log events.
    pub messages: Vec<Message>,
    /// Tool.
    pub tool_name: Option<String>,
    /// Milliseconds from start to end.
    pub latency_ms: Option<f64>,
    /// Milliseconds to the first token.
    pub ttft_ms: Option<f64>,
    /// Tokens and cost.
    pub usage: Usage,
    /// `ok` or `error`.
    pub status: Option<&'static str>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// The rest: names, and values as JSON.
    pub attributes: Vec<(String, String)>,
}

/// One message that a log event tells of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// It came out of the model.
    pub is_output: bool,
    /// Orders the messages of a call: the time, then the content.
    pub order: String,
    /// Its text.
    pub text: String,
}

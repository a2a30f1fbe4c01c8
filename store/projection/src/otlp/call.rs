//! [`Call`]: one call as every convention is translated to.

use super::usage::Usage;

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
    /// Calls around it: what they repeat of its usage would be counted twice.
    pub around: Vec<String>,
    /// What it says of work.
    pub work: Work,
}

/// What a call says of tasks, agents, hand-offs and artifacts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// It is itself the work on its task, which nobody else creates.
    pub is_task: bool,
    /// Somebody begins to work on the task with it, or goes on.
    pub begins: bool,
    /// Who that is: the agent, or the one at the top where many work together.
    pub worker: Option<String>,
    /// The worker is the agent at the top.
    pub is_within: bool,
    /// How the task ended with it.
    pub end: Option<End>,
    /// Short name of the task.
    pub title: Option<String>,
    /// Description of the task.
    pub text: Option<String>,
    /// Type of the task.
    pub task_type: Option<String>,
    /// Task of which it is a part.
    pub parent_task: Option<String>,
    /// Project of the task.
    pub project: Option<String>,
    /// Name of the agent, on a call that is the agent's own.
    pub agent_name: Option<String>,
    /// Version of the agent, on a call that is the agent's own.
    pub agent_version: Option<String>,
    /// Another name of an agent, and the name by which it is known.
    pub alias: Option<(String, String)>,
    /// Who passed the work on, and to whom.
    pub handoff: Option<Handoff>,
    /// What it left behind.
    pub artifacts: Vec<Artifact>,
}

impl Work {
    /// It is work on a task that is named above it, and no task itself.
    pub fn is_part(&mut self) {
        if std::mem::take(&mut self.is_task) {
            (self.end, self.title, self.text) = (None, None, None);
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Completed,
    /// It was given up.
    Failed,
}

/// Work passed from one agent to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handoff {
    /// Who passed it on.
    pub from: Option<String>,
    /// Who took over.
    pub to: String,
    /// Why.
    pub reason: Option<String>,
}

/// Something that work left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Artifact {
    /// Which one.
    pub artifact_id: String,
    /// `commit`, `pull_request`, …
    pub kind: String,
    /// Where it is.
    pub uri: Option<String>,
}

impl Call {
    /// Returns the task: the one that is named, else what stands for it.
    pub fn task(&self) -> Option<&str> {
        self.task_id.as_deref().or(self.default_task.as_deref())
    }

    /// Returns the agent: the one that is named, else the one whose service it is.
    pub fn agent(&self) -> Option<&str> {
        self.agent_id.as_deref().or(self.default_agent)
    }
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

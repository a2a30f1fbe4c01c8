//! The conventions, in the order in which they are asked; the first that knows an item translates it.
//!
//! Explicit ones come first: services with words of their own, then attributes that name a kind of call, then
//! frameworks by their library or their own attributes, then the general convention with its older forms.

mod claude_code;
mod codex;
mod crewai;
mod framework;
mod gemini_cli;
mod gen_ai;
mod google_adk;
mod litellm;
mod pydantic_ai;

use super::subject::Subject;

/// What a convention says of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// It is not of this convention.
    Unknown,
    /// It is, but it is no call, or one that another item tells of.
    NoCall,
    /// It is a call.
    Call(Sort),
    /// It is one message of a call: out of the model, or into it.
    Message(bool),
}

/// What sort of call it is, and what must be known to read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sort {
    /// `llm`, `tool`, …
    pub kind: &'static str,
    /// What names the call, where it is not the span.
    pub id: Option<String>,
    /// Tokens in are counted without those of caches.
    pub without_cache: bool,
    /// Its usage is told by another item too, and counts there.
    pub twin: bool,
    /// It failed, where the status of a span does not say so.
    pub failed: bool,
    /// The agent, where no attribute names it.
    pub agent: Option<&'static str>,
    /// The provider, where no attribute names it.
    pub provider: Option<&'static str>,
    /// Attribute that stands for the task where none is named.
    pub task: Option<&'static str>,
    /// Its trace stands for the task where none is named.
    pub task_is_trace: bool,
    /// It is itself the work on its task.
    pub is_task: bool,
    /// The agent begins to work on the task with it, though it is no span.
    pub begins: bool,
}

impl Sort {
    /// A call that needs nothing else.
    pub fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }
}

/// A convention.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// Its name, as rows say it.
    pub name: &'static str,
    /// Reads an item.
    pub read: fn(&Subject<'_>) -> Reading,
}

/// All conventions, first match first.
pub const ALL: &[Dialect] = &[
    Dialect { name: "claude_code", read: claude_code::read },
    Dialect { name: "codex", read: codex::read },
    Dialect { name: "gemini_cli", read: gemini_cli::read },
    Dialect { name: "langfuse", read: framework::langfuse },
    Dialect { name: "openinference", read: framework::openinference },
    Dialect { name: "langsmith", read: framework::langsmith },
    Dialect { name: "mlflow", read: framework::mlflow },
    Dialect { name: "crewai", read: crewai::read },
    Dialect { name: "google_adk", read: google_adk::read },
    Dialect { name: "pydantic_ai", read: pydantic_ai::read },
    Dialect { name: "litellm", read: litellm::read },
    Dialect { name: "copilot", read: gen_ai::copilot },
    Dialect { name: "gen_ai", read: gen_ai::read },
    Dialect { name: "traceloop", read: framework::traceloop },
    Dialect { name: "vercel_ai", read: framework::vercel_ai },
    Dialect { name: "gen_ai", read: gen_ai::old },
];

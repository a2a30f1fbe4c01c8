//! Names and ids: one type each, so that a task's id is never passed for an agent's.
//!
//! All are non-blank UTF-8 of at most [`MAX_ID_BYTES`] bytes without control characters.
//! * Ids of entities keep the spelling they were written with; `fold_case` gives the spelling to compare by,
//!   because they compare case-insensitively.
//! * A [`StreamName`] is folded once, when it is made, so that nobody can forget to.
//! * [`Source`], [`EventId`] and [`EventType`] compare exactly, as CloudEvents says.
//! * A [`Workspace`] names a folder and is restricted to what is safe there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Longest id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 512;

/// Longest stream name, in bytes: a family and an id whose folded spelling is longer than the written one.
pub const MAX_STREAM_BYTES: usize = 1_024;

/// Longest workspace name, in bytes.
pub const MAX_WORKSPACE_BYTES: usize = 63;

/// Checks what every id must satisfy; `field` names it in the error.
pub fn check_id(field: &str, text: &str) -> Result<(), Problem> {
    check_text(field, text, MAX_ID_BYTES)
}

fn check_text(field: &str, text: &str, limit: usize) -> Result<(), Problem> {
    // Nearly every id is ASCII without spaces, which one vectorised pass can tell.
    if (1..=limit).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    if text.trim().is_empty() {
        return Err(Problem::invalid_field(field, "empty", format!("`{field}` must not be empty")));
    }
    if text.len() > limit {
        let detail = format!("`{field}` has {} bytes; at most {limit} are allowed", text.len());
        return Err(Problem::invalid_field(field, "too_long", detail));
    }
    if text.chars().any(char::is_control) {
        let detail = format!("`{field}` contains a control character");
        return Err(Problem::invalid_field(field, "control_character", detail));
    }
    Ok(())
}

/// Returns the spelling by which ids are compared: each character in lower case by Unicode's own table, without
/// regard to language or place in the word, so that folding twice changes nothing.
pub fn fold_case(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}

macro_rules! text_type {
    ($($(#[$doc:meta])* $name:ident = $field:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The field that carries it in events, tables and parameters.
            pub const FIELD: &'static str = $field;

            /// Returns it as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Problem;

            fn try_from(text: String) -> Result<Self, Problem> {
                Self::new(text)
            }
        }
    )*};
}

macro_rules! exact_type {
    ($($(#[$doc:meta])* $name:ident = $field:literal;)*) => {
        text_type! { $($(#[$doc])* $name = $field;)* }

        $(impl $name {
            /// Checks and wraps `text`. Errors with the field's name and the limit.
            pub fn new(text: impl Into<String>) -> Result<Self, Problem> {
                let text = text.into();
                check_id($field, &text)?;
                Ok(Self(text))
            }
        })*
    };
}

macro_rules! entity_type {
    ($($(#[$doc:meta])* $name:ident = $field:literal;)*) => {
        exact_type! { $($(#[$doc])* $name = $field;)* }

        $(impl $name {
            /// Returns the spelling to compare by.
            pub fn fold_case(&self) -> String {
                fold_case(&self.0)
            }
        }

        impl crate::field::FieldValue for $name {
            const TYPE: crate::field::FieldType = crate::field::FieldType::Id;

            fn read(
                value: &crate::json::Node<'_>,
                at: &crate::field::Path<'_>,
                found: &mut crate::field::Findings,
            ) -> Option<Self> {
                crate::field::short_text(value, "an id (text or whole number)", at, found).map(Self)
            }

            fn write(&self) -> serde_json::Value {
                serde_json::Value::String(self.0.clone())
            }
        })*
    };
}

exact_type! {
    /// Who produced the event; `(workspace, source, id)` is the idempotency key, for ever.
    Source = "source";
    /// The producer's id of the event.
    EventId = "id";
    /// Dotted lower-case name of a kind: `task.completed`. Unknown ones are kept.
    EventType = "type";
}

entity_type! {
    /// One agent, human or machine.
    AgentId = "agent_id";
    /// One rule that raises alerts.
    AlertId = "alert_id";
    /// One request for approval.
    ApprovalId = "approval_id";
    /// Something that was made.
    ArtifactId = "artifact_id";
    /// One agent working on one task.
    AttemptId = "attempt_id";
    /// One budget.
    BudgetId = "budget_id";
    /// One charge.
    ChargeId = "charge_id";
    /// A thread of interactions and messages.
    ConversationId = "conversation_id";
    /// One ranking of agents for a task.
    DecisionId = "decision_id";
    /// One experiment.
    ExperimentId = "experiment_id";
    /// One published forecast.
    ForecastId = "forecast_id";
    /// One task passing from one agent to another.
    HandoffId = "handoff_id";
    /// One call of a model, a tool or an agent.
    InteractionId = "interaction_id";
    /// One key.
    KeyId = "key_id";
    /// One noted fact, pattern or solution.
    KnowledgeId = "knowledge_id";
    /// One number that a team watches.
    KpiId = "kpi_id";
    /// One message of a thread.
    MessageId = "message_id";
    /// One judgement; the id of its event when the client gives no other.
    OutcomeId = "outcome_id";
    /// One price.
    PriceId = "price_id";
    /// A group of tasks; not the tenant.
    ProjectId = "project_id";
    /// One service level.
    SlaId = "sla_id";
    /// One piece of work.
    TaskId = "task_id";
}

text_type! {
    /// The tenant. Given by the key, never by the client's body. It names a folder: lower-case letters, digits,
    /// `-` and `_`, at most [`MAX_WORKSPACE_BYTES`], beginning with a letter or digit.
    Workspace = "workspace";
    /// The unit of ordering and of optimistic concurrency: `task/42`. Kept in the spelling to compare by.
    StreamName = "stream";
}

impl Workspace {
    /// Checks and wraps `text`.
    pub fn new(text: impl Into<String>) -> Result<Self, Problem> {
        let text = text.into();
        check_text("workspace", &text, MAX_WORKSPACE_BYTES)?;
        let safe = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if safe(text.as_bytes()[0]) && text.bytes().all(|byte| safe(byte) || byte == b'-' || byte == b'_') {
            return Ok(Self(text));
        }
        let detail = format!(
            "`workspace` = {text:?} must be lower-case letters, digits, `-` and `_`, beginning with a letter or digit"
        );
        Err(Problem::invalid_field("workspace", "workspace", detail))
    }

    /// The workspace of a server that runs without keys.
    pub fn local() -> Self {
        Self("local".to_owned())
    }
}

impl StreamName {
    /// Checks `text` and wraps its folded spelling.
    pub fn new(text: impl Into<String>) -> Result<Self, Problem> {
        let mut text = text.into();
        match text.is_ascii() {
            true => text.make_ascii_lowercase(),
            false => text = fold_case(&text),
        }
        check_text("stream", &text, MAX_STREAM_BYTES)?;
        Ok(Self(text))
    }
}

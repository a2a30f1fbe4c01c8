//! The vocabulary of Partitura: what an event is, before anybody stores, folds or asks for it.
//!
//! Suggested reading order follows the module list below. This crate does no I/O, starts no thread
//! and knows neither tokio nor arrow.
//!
//! **The freeze rule.** A kind (`task.completed`) is frozen once released: its fields keep their
//! names, types and meaning for ever. New meaning is a new kind or a new optional field. The golden
//! bytes in `tests/frozen.rs` fail when that is broken by accident.

pub mod envelope;
pub mod kind;
pub mod payload;

pub mod field;
pub mod id;
pub mod money;
pub mod position;
pub mod time;

pub mod clock;
pub mod problem;

pub mod canonical;
pub mod json;
pub mod reference;
pub mod schema;

pub use clock::{Clock, ManualClock, SystemClock};
pub use envelope::{Draft, Expected, Fingerprint, Recorded};
pub use field::{Checked, Warning};
pub use id::{
    AgentId, AlertId, ApprovalId, ArtifactId, AttemptId, BudgetId, ChargeId, ConversationId, DecisionId, EventId,
    EventType, ExperimentId, ForecastId, HandoffId, InteractionId, KeyId, KnowledgeId, KpiId, MessageId, OutcomeId,
    PriceId, ProjectId, SlaId, Source, StreamName, TaskId, Workspace,
};
pub use kind::{Kind, KindSpec};
pub use money::{Amount, Currency};
pub use payload::Payload;
pub use position::{Position, Revision};
pub use problem::{ErrorClass, Issue, Problem};
pub use time::Timestamp;

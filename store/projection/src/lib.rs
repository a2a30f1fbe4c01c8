//! Folds of the log into tables: deterministic, independent of the order of arrival, rebuildable.
//!
//! **Flow.** [`Projector`] reads a batch of events → each event is split once ([`data`]) and every
//! [`Projection`] that wants it says what it does to its table ([`fold`]) → the entities it speaks of are
//! brought from memory or from the `_state` of their rows ([`states`]) → what it says is folded in
//! ([`entity`]) → rows are written column by column ([`rows`]) → `TableStore::apply` makes all of it visible
//! at once, and durable together with the checkpoint. Raw OpenTelemetry records are first translated ([`otlp`]).
//!
//! **Invariants.** A fold uses no clock, randomness, network or hash order. An entity is a function of the
//! set of its events, ordered by [`Stamp`]. Only folds write base tables. An event that a fold cannot take
//! is parked, never skipped silently.
//!
//! **Not here:** verdicts, facts and derived cost, which are views over these tables; vectors and text
//! indexes, which follow `documents`.

pub mod stamp;
pub mod value;

pub mod data;
pub mod entity;
pub mod field;
pub mod fold;
pub mod rows;

pub mod otlp;

pub mod builtin;

pub mod parked;
pub mod progress;
pub mod projector;
pub mod rebuild;
pub mod settings;

mod batch;
mod caught;
mod codec;
mod content;
mod states;

pub use fold::{Effect, Event, Projection};
pub use parked::Parked;
pub use progress::Progress;
pub use projector::Projector;
pub use rebuild::{RebuildProgress, RebuildRequest, Rebuilt};
pub use settings::ProjectorSettings;
pub use stamp::Stamp;

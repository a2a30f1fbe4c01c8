//! OTLP over gRPC: decodes a call, makes one call of the service, encodes its answer. No rule lives here.
//!
//! Suggested reading order follows the module list. Life of an export: [`border`] finds the caller and what is called;
//! [`message`] reads the one message of the call within the limits that HTTP has too; the service takes its bytes, which
//! nothing here looks into; [`answer`] writes what became of them, or a [`status`] that says whether to send them again.
//!
//! **Not here:** types of OTLP's messages. The service's decoder reads the bytes, as it reads those of HTTP.

mod border;
mod listener;

mod call;
mod message;

mod answer;
mod health;
mod status;

pub use listener::serve;

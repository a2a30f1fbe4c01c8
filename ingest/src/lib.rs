//! Pure adapters: bytes → validated [`Draft`](partitura_event::Draft)s. Decoding does no I/O.
//!
//! Suggested reading order follows the module list below. The life of a body: [`ContentType::parse`]
//! says what it claims to be; [`decode`] splits it into events without building anything that the
//! [`Limits`] do not allow; each event becomes a tree of JSON, loses its secrets to the [`Redactor`],
//! gets its defaults, and is checked against its kind. An event that cannot be taken is answered by
//! its own `Problem` and never stops its neighbours; a body that cannot be split is one `Problem`.
//!
//! [`otlp`] does the same for what OpenTelemetry exporters send, [`vendor`] for what SDKs of other platforms send.
//!
//! [`import`] is the other half: files of any shape → events as JSON, by a mapping. They are then
//! posted through the same door as everybody's.
//!
//! [`simulate`] makes a history out of a seed, for demos, tests and benches; it goes through the door too.
//!
//! **Invariants.** No clock, randomness or disk but what comes in through [`Context`] (import reads
//! the files it is given). Secrets are gone before a draft exists, and before a message quotes anything.

pub mod content;
pub mod context;
pub mod decode;
mod envelope;
pub mod expected;
pub mod generator;
pub mod import;
pub mod json;
pub mod limits;
pub mod otlp;
pub mod redact;
pub mod simulate;
pub mod vendor;

pub use content::ContentType;
pub use context::{Accepted, Check, Context, Decoded, Rejected, Warning};
pub use decode::decode;
pub use generator::IdGenerator;
pub use limits::Limits;
pub use redact::{ContentMode, ExtraRule, RedactSettings, Redactions, Redactor};

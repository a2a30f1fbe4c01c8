//! The one door: authorisation, limits, and one call for each thing a user can do.
//!
//! Every protocol decodes a request, makes one call of [`Service`] and encodes its answer; a rule that holds for
//! users stands here and nowhere else. Suggested reading order follows the module list: what the service is, who
//! may call it, what they may ask, what bounds it, what it stands on.
//!
//! **Not here:** HTTP, JSON-RPC or any wire format; statistics; SQL itself.

pub mod service;

mod key_calls;
pub mod keys;
mod lobby;
pub mod principal;
mod secret;
mod ticket;

pub mod append;
mod arrow_rows;
mod calendar;
mod catalog;
pub mod download;
pub mod event_json;
pub mod events;
pub mod exports;
pub mod fields;
mod judgements;
pub mod live;
mod memory;
pub mod otlp;
mod pump;
pub mod read_at;
pub mod recording;
mod search;
pub mod sql;
mod vendor;

mod care;
pub mod gate;
mod health;
pub mod metrics;

mod durable_file;
mod engines;
mod folder;
mod model;
mod problem_json;
mod quantity;
mod settings;
pub mod subscriptions;
mod system;
pub mod webhooks;

pub use append::{AppendBody, AppendCall, Appended};
pub use arrow_rows::{ARROW_STREAM, ArrowBody};
pub use calendar::check_time_zone;
pub use care::{Checked, restore};
pub use download::{DownloadCall, FileOf, KeptFile, Turn};
pub use event_json::ShownEvent;
pub use events::EventPage;
pub use exports::{ExportDone, ExportShown, ExportSpec, Exports};
pub use folder::{FORMAT, Folder, Holder, has_format};
pub use gate::{BodyShare, Gate};
pub use health::{Part, Readiness, free_space};
pub use judgements::Kept;
pub use key_calls::KeyCall;
pub use keys::{KeyInfo, KeyRing, NewKey, SCRAM_BYTES, SCRAM_ITERATIONS, ScramProof, scram_salt};
pub use live::feed::LiveEvent;
pub use live::filter::{EventFilter, FilterText};
pub use live::tail::{After, TailCall, Tailed};
pub use lobby::{Lobby, shown};
pub use metrics::raise_file_limit;
pub use model::{model_folder, onnx_runtime};
pub use otlp::{OtlpCall, OtlpTaken};
pub use partitura_query::{
    Changes, Columns, Encoder, Format, PG_VERSION, Parameter, PgSession, SQL_BYTES_MAX, SqlStats, SqlStream,
    TableDescription, Written, encode,
};
pub use principal::{Principal, Scope};
pub use problem_json::members;
pub use pump::pumped;
pub use quantity::{read_bytes, show_bytes};
pub use read_at::{AsOf, ReadAt};
pub use recording::Recording;
pub use secret::Secret;
pub use service::{Credential, Service};
pub use settings::{Content, LogFormat, Setting, Settings};
pub use sql::{Row, SqlAnswer, SqlCall, SqlHold, SqlPlanned};
pub use vendor::{Ingested, ScoresKept, Target};

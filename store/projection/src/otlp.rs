//! OpenTelemetry: from raw records of the log to calls, judgements, points of metrics and what they say of work.
//!
//! A record ([`record`]) holds spans, log events or metrics in OTLP/JSON. Each span and event is looked at as a [`Subject`], which finds
//! attributes under all the names that the conventions have given them ([`names`]). The first of the
//! [`dialect`]s that knows it says what kind of call it is; what the call used, said and cost is read in one
//! way for all ([`usage`], [`text`]). The result, a [`Call`], says which convention it was read by. A
//! [`Translator`] is a version of all this; what it makes of a record is read by every fold that wants some of it.
//!
//! Pure, as all of a fold: one record, with what its request held above it in short, is all it sees.

pub mod any;
pub mod call;
pub mod dialect;
pub mod metric;
pub mod names;
pub mod point;
pub mod record;
pub mod subject;
pub mod text;
pub mod translator;
pub mod usage;

mod common;
mod coverage;
mod judgement;
mod translate;
mod work;

pub use call::Call;
pub use coverage::{Coverage, coverage};
pub use judgement::Judgement;
pub use point::Point;
pub use subject::Subject;
pub use translator::{CURRENT, Translation, Translator};

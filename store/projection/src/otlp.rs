//! OpenTelemetry: from raw records of the log to calls and judgements.
//!
//! A record ([`record`]) holds spans or log events in OTLP/JSON. Each is looked at as a [`Subject`], which finds
//! attributes under all the names that the conventions have given them ([`names`]). The first of the
//! [`dialect`]s that knows it says what kind of call it is; what the call used, said and cost is read in one
//! way for all ([`usage`], [`text`]). The result, a [`Call`], says which convention it was read by.
//!
//! Pure, as all of a fold: one record, with what its request held above it in short, is all it sees.

pub mod any;
pub mod call;
pub mod dialect;
pub mod names;
pub mod record;
pub mod subject;
pub mod text;
pub mod usage;

mod coverage;
mod judgement;
mod translate;

pub use call::Call;
pub use coverage::{Coverage, coverage};
pub use judgement::{Judgement, judgements};
pub use subject::Subject;
pub use translate::calls;

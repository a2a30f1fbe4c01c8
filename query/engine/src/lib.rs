//! SQL over one pinned snapshot: from text to rows, bounded in every direction.
//!
//! # Life of a query
//!
//! 1. [`Engine::sql`] pins a snapshot, enters the query into the list of running ones and starts it on
//!    the engine's own threads.
//! 2. `guard` measures the text (bytes, operators, nesting, tables), reads exactly one statement and
//!    refuses what is not a question. Parameters become literals of the syntax tree.
//! 3. `scope` says what each name means for this workspace at this position. Views are SQL text over
//!    base tables (`view/*.sql`) and are opened when a name needs them.
//! 4. `session` gives DataFusion the functions (`function`), the calendar, the memory and the clock of
//!    this query; `prune` drops joins whose columns nobody asked for, `codes` groups by numbers for words.
//! 5. `pace` watches the plan while it runs, so that it gives way and stops in time; `output` makes batches
//!    of plain types and cuts them at the limits; [`SqlStream`] hands them over.
//! 6. `format` writes them as JSON, CSV, Arrow, Parquet or text, batch by batch.
//!
//! # Invariants
//!
//! * A query never writes. It sees one snapshot, and only its workspace's tables exist in it.
//! * A totally ordered query with `as_of` gives the same bytes each time: `now()` is the request's,
//!   randomness is refused, float sums do not depend on order, batches do not depend on the disk.
//! * Nothing here knows a protocol, a key or a user: that is the service's.

pub mod columns;
pub mod describe;
pub mod engine;
pub mod format;
pub mod hook;
pub mod request;
pub mod running;
pub mod search;
pub mod source;
pub mod stream;
pub mod system;

mod catalog;
mod codes;
mod failure;
mod function;
mod guard;
mod kpi;
mod made;
mod memory;
mod output;
mod pace;
mod pg;
mod prune;
mod query;
pub mod reads;
mod relation;
mod rules;
mod scope;
mod session;
mod stop;
mod store;
mod view;

pub use columns::{Columns, Parameter};
pub use describe::type_name;
pub use engine::{Engine, EngineBuilder, EngineSettings};
pub use format::{Encoder, Format, encode};
pub use guard::{CLAUSES_MAX, NESTING_MAX, OPERATORS_MAX, SQL_BYTES_MAX};
pub use hook::{SearchCall, SearchLegs, SqlEmbed, SqlSearch};
pub use pg::function::PG_VERSION;
pub use pg::session::{PgSession, Written};
pub use reads::Reads;
pub use request::{Params, SqlLimits, SqlRequest, Zone};
pub use running::RunningQuery;
pub use search::{SearchReply, SearchRequest, Searcher, SearcherSettings, SqlModel};
pub use source::{Changes, ColumnDescription, Pinned, TableDescription, Tables};
pub use stream::{SqlStats, SqlStream, StatsHandle};
pub use system::SystemTable;

//! The answers: every table of every workspace as Arrow rows, in memory and in Lance, at one position.
//!
//! **Flow.** The projector hands [`Delta`]s to [`TableStore::apply`]; they are visible at once in the
//! next [`Snapshot`]. In the background a flush writes them to Lance, syncs, and replaces one commit
//! file for all tables. A query pins one snapshot and asks it for
//! [`TableProvider`](datafusion::catalog::TableProvider)s.
//!
//! **Invariants.** The log is the truth: everything here can be removed and is folded again. Only this
//! crate names Lance. A snapshot never changes. Rows and checkpoint are committed together. Nothing
//! of one workspace lies in a file of another. There is no clock in what is stored.
//!
//! **Not here:** what the rows mean (projection), SQL (query engine), models (embed).

pub mod reference;
pub mod schema;
pub mod search;
pub mod settings;
pub mod text;
pub mod vector;

mod delta;
mod snapshot;
mod store;

mod adopt;
mod commit;
mod durable;
mod epoch;
mod fault;
mod fault_point;
mod files;
mod flush;
mod fragment_rows;
mod key_index;
mod lance_table;
mod layout;
mod maintenance;
mod open;
mod pins;
mod provider;
mod row_id;
mod state_cache;
mod status;
mod tail;
mod zones;

pub use delta::Delta;
pub use fault_point::{FaultPoint, FaultPoints};
pub use schema::{BASE_TABLES, ColumnSpec, ColumnType, Join, Shape, TableSpec};
pub use settings::TableSettings;
pub use snapshot::Snapshot;
pub use status::{FileStatus, FragmentStatus, StoreStatus, TableStatus};
pub use store::TableStore;

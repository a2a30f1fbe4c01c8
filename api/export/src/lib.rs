//! Exports: rows as files in a folder or an object store, whole or what is new since the last time.
//!
//! Suggested reading order follows the module list. Life of an export: a [`Source`] says at which position it is; one
//! query for each table brings its rows, in the order of their partitions; [`partition`] cuts them where a partition
//! ends; `files` writes each piece into one file of the [`target`]; at the end one [`manifest`] names the files that
//! count, and only then those that count no more are removed.
//!
//! **Invariants.** One export is of one position. What the manifest does not name does not count, so an export that
//! breaks off changes nothing. An exporter removes only files that it wrote.
//!
//! **Not here:** SQL, formats, who may read what. Rows come through the service, as any reader gets them.

pub mod job;
pub mod manifest;
pub mod partition;
pub mod schedule;
pub mod source;
pub mod target;

mod files;
mod run;
mod served;

pub use job::{Job, Layout, What};
pub use run::{Exported, run};
pub use schedule::Schedule;
pub use source::{Catalog, Rows, Source, Table};
pub use target::Target;

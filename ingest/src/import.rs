//! Import: files of any shape → events as JSON, by a mapping file. `docs/import.md` is its manual.
//!
//! A [`Mapping`] is read from TOML and checked as a whole before the first row. [`open_rows`] reads a
//! JSON, JSONL, CSV or Parquet file as a stream of [`Row`]s; [`Mapping::events`] turns one row into its
//! events. What comes out is posted through the door that everybody uses, which validates and redacts;
//! a row that cannot be mapped becomes a [`Reject`] with its reason.
//!
//! **Invariant.** The events of a row depend on nothing but the row, its file's name and the mapping:
//! so the ids are the same in every run, and importing twice doubles nothing.

mod condition;
mod each;
mod expression;
mod mapping;
mod reject;
mod rows;
mod scope;
mod section;
mod shipped;
mod template;
mod transform;

pub use mapping::{EventJson, Input, Mapping};
pub use reject::Reject;
pub use rows::{BadRow, Format, Row, Rows, open_rows};
pub use shipped::{Shipped, shipped};

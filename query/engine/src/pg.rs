//! What a Postgres client finds besides our tables: `pg_catalog`, `information_schema`, functions about its session.
//!
//! Only queries of the Postgres door see it. Clients of that door learn what there is by joining `pg_class` with
//! `pg_attribute` and calling `current_setting`; a query of another door would find names there that mean nothing to
//! it, and `information_schema` in another shape than before.
//!
//! * `dialect` makes Postgres SQL of clients into SQL that DataFusion plans.
//! * `catalog` holds the tables of `pg_catalog`, `information` those of `information_schema`: made once for an engine,
//!   from the descriptions that every workspace shares, so they show names and columns and never a row.
//! * `function` and `session` add the functions, `types` names column types as Postgres does.

pub(crate) mod catalog;
pub(crate) mod dialect;
mod empty;
pub(crate) mod function;
mod information;
mod listing;
mod names;
mod rows;
mod scalar;
pub(crate) mod session;
mod subquery;
mod template;
mod types;
pub(crate) mod view;

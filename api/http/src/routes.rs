//! Every route of the API, one file per noun.

pub mod backup;
pub mod context;
pub mod conversations;
pub mod events;
pub mod exports;
pub mod files;
pub mod health;
pub mod keys;
pub mod knowledge;
pub mod limits;
pub mod openapi;
pub mod otlp;
pub mod schemas;
pub mod search;
pub mod sql;
pub mod stream;
pub mod tables;

use crate::route::Route;

/// Returns all routes.
pub fn all() -> Vec<Route> {
    [
        events::routes(),
        stream::routes(),
        otlp::routes(),
        sql::routes(),
        files::routes(),
        search::routes(),
        context::routes(),
        knowledge::routes(),
        conversations::routes(),
        tables::routes(),
        schemas::routes(),
        limits::routes(),
        keys::routes(),
        exports::routes(),
        backup::routes(),
        health::routes(),
        openapi::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

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
pub mod langfuse;
pub mod limits;
pub mod live_sql;
pub mod openai;
pub mod openapi;
pub mod otlp;
pub mod phoenix;
pub mod schemas;
pub mod search;
pub mod sql;
pub mod stream;
pub mod subscriptions;
pub mod tables;
pub mod webhooks;
pub mod ws;

use crate::route::Route;

/// Returns all routes.
pub fn all() -> Vec<Route> {
    [
        events::routes(),
        stream::routes(),
        ws::routes(),
        subscriptions::routes(),
        webhooks::routes(),
        otlp::routes(),
        langfuse::routes(),
        phoenix::routes(),
        openai::routes(),
        sql::routes(),
        live_sql::routes(),
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

/// Returns the routes of a listener that takes OTLP and nothing else.
pub fn of_otlp() -> Vec<Route> {
    otlp::exports().into_iter().chain([health::liveness()]).collect()
}

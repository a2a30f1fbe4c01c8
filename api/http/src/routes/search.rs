//! `/v1/search`, `/v1/suggest`, `/v1/search/similar/{id}`: asking in words.

use axum::extract::{Path, Request, State};
use axum::http::Uri;
use axum::routing::{get, post};
use partitura_event::Problem;
use partitura_service::Scope;
use serde_json::{Value, json};

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::{Params, READ_AT};
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_search>(Needs(Scope::Read), post(search)),
        Route::new::<__path_suggest>(Needs(Scope::Read), get(suggest)),
        Route::new::<__path_similar>(Needs(Scope::Read), get(similar)),
    ]
}

/// Search by words and meaning.
///
/// `{"query", "mode": "hybrid|text|semantic|auto", "limit", "filter", "fusion", "recency", "highlight", "facets",
/// "explain", "exact", "include_ended", "cursor", "min_position", "wait_ms", "as_of"}`. Knowledge that was superseded
/// or retracted, or is past its `valid_to`, is found with `include_ended` only, or with an `as_of` from before.
#[utoipa::path(
    post,
    path = "/v1/search",
    request_body(content = Value, description = "What to look for"),
    responses((status = 200, description = "Hits, best first", body = Value)),
    tag = "search"
)]
async fn search(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let body: Value = request::json(&app, request).await?;
    let found = app.service.search(&principal, body).await?;
    Ok(reply::at(reply::json(&found), found.position))
}

/// Complete what somebody begins to type.
#[utoipa::path(
    get,
    path = "/v1/suggest",
    params(
        ("q" = String, Query, description = "What was typed"),
        ("limit" = Option<usize>, Query, description = "At most this many, up to 100"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is searchable"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "search"
)]
async fn suggest(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[&["q", "limit"], READ_AT])?;
    let typed =
        params.text("q").ok_or_else(|| Problem::invalid_field("q", "missing", "the parameter `q` is missing"))?;
    let limit = params.limit(10, 100)?;
    let (data, position) = app.service.suggest(&principal, typed, limit, params.read_at()?).await?;
    Ok(reply::at(reply::json(&json!({"data": data, "next_cursor": null})), position))
}

/// Find documents that resemble one; its id is that of a hit, such as `knowledge/42`.
#[utoipa::path(
    get,
    path = "/v1/search/similar/{*id}",
    params(
        ("id" = String, Path, description = "A hit's id"),
        ("limit" = Option<usize>, Query, description = "At most this many, up to 100"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is searchable"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "Hits, best first", body = Value)),
    tag = "search"
)]
async fn similar(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[&["limit"], READ_AT])?;
    let limit = params.limit(10, 100)?;
    let found = app.service.similar(&principal, &id, limit, params.read_at()?).await?;
    Ok(reply::at(reply::json(&found), found.position))
}

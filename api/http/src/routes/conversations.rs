//! `/v1/conversations/{id}`: a thread, its messages and calls in order.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use partitura_service::Scope;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::{Params, READ_AT};
use crate::reply::{self, Answer};
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_one>(Needs(Scope::Read), get(one))]
}

/// Get a conversation: its messages and interactions by time.
#[utoipa::path(
    get,
    path = "/v1/conversations/{id}",
    params(
        ("id" = String, Path, description = "The conversation"),
        ("limit" = Option<usize>, Query, description = "At most this many turns, up to 1,000"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "The conversation", body = Value)),
    tag = "memory"
)]
async fn one(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[&["limit"], READ_AT])?;
    let limit = params.limit(1_000, 1_000)?;
    let (thread, position) = app.service.conversation(&principal, &id, limit, params.read_at()?).await?;
    Ok(reply::at(reply::json(&thread), position))
}

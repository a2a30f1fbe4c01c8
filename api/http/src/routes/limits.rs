//! `/v1/limits`: every limit, so that nobody has to find one by running into it.

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use partitura_service::Scope;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_limits>(Needs(Scope::Read), get(limits))]
}

/// Get the limits of requests, queries and reads.
#[utoipa::path(
    get,
    path = "/v1/limits",
    responses((status = 200, description = "Limits by name", body = Value)),
    tag = "server"
)]
async fn limits(State(app): State<App>, Caller(_): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.limits()))
}

//! `/v1/exports`: the exports that the server does by itself.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::{get, post};
use partitura_service::Scope;
use serde_json::json;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_list>(Needs(Scope::Read), get(list)),
        Route::new::<__path_run>(Needs(Scope::Admin), post(run)),
    ]
}

/// List the scheduled exports of the workspace: what each does, when it is due, what became of the last run.
///
/// They stand as `[[exports]]` in `partitura.toml`.
#[utoipa::path(
    get,
    path = "/v1/exports",
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "exports"
)]
async fn list(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&json!({"data": app.service.list_exports(&principal), "next_cursor": null})))
}

/// Run a scheduled export now, out of turn. One that runs already goes on, and no second one begins.
#[utoipa::path(
    post,
    path = "/v1/exports/{name}/run",
    params(("name" = String, Path, description = "The export's name")),
    responses((status = 202, description = "The export; `started_at` and `ended_at` tell how far it is", body = Value)),
    tag = "exports"
)]
async fn run(State(app): State<App>, Caller(principal): Caller, Path(name): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    let export = app.service.run_export(&principal, &name)?;
    Ok(reply::json_with(axum::http::StatusCode::ACCEPTED, &export))
}

//! `/v1/backup`, `/v1/verify`, `/v1/rebuild`: the care of the whole server, for its operator.

use std::path::PathBuf;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::routing::post;
use partitura_service::Scope;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_backup>(Needs(Scope::Admin), post(backup)),
        Route::new::<__path_verify>(Needs(Scope::Admin), post(verify)),
        Route::new::<__path_rebuild>(Needs(Scope::Admin), post(rebuild)),
    ]
}

/// Where a backup goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Target {
    /// A new folder on the server's machine, as an absolute path.
    #[schema(value_type = String)]
    to: PathBuf,
}

/// What is built anew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// Names of tables; all when empty.
    #[serde(default)]
    tables: Vec<String>,
    /// Compute the vectors of all texts again, in the background.
    #[serde(default)]
    vectors: bool,
}

/// Copy the log and the keys while the server runs, and verify the copy.
#[utoipa::path(
    post,
    path = "/v1/backup",
    request_body = Target,
    responses((status = 200, description = "What was copied", body = Value)),
    tag = "server"
)]
async fn backup(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let target: Target = request::json(&app, request).await?;
    Ok(reply::json(&app.service.backup(&principal, target.to).await?))
}

/// Read the whole log and check it against its checksums, its order and its hash chain.
#[utoipa::path(
    post,
    path = "/v1/verify",
    responses((status = 200, description = "What was read", body = Value)),
    tag = "server"
)]
async fn verify(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.verify(&principal).await?))
}

/// Build tables anew from the log, beside the live ones, then swap. Vectors are kept, unless `vectors` is true: then
/// they are computed again in the background, and no table is built but those that are named.
#[utoipa::path(
    post,
    path = "/v1/rebuild",
    request_body = Parts,
    responses((status = 200, description = "What was built", body = Value)),
    tag = "server"
)]
async fn rebuild(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let parts: Parts = request::json_or_default(&app, request).await?;
    Ok(reply::json(&app.service.rebuild(&principal, parts.tables, parts.vectors).await?))
}

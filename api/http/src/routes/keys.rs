//! `/v1/keys`: make, list, rotate and revoke keys.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{delete, get, post};
use partitura_service::{KeyCall, Scope};
use serde::Deserialize;
use serde_json::json;
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
        Route::new::<__path_create>(Needs(Scope::Admin), post(create)),
        Route::new::<__path_list>(Needs(Scope::Admin), get(list)),
        Route::new::<__path_rotate>(Needs(Scope::Admin), post(rotate)),
        Route::new::<__path_revoke>(Needs(Scope::Admin), delete(revoke)),
    ]
}

/// A key to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A word for people.
    name: Option<String>,
    /// ingest, read, act, admin.
    scopes: Vec<String>,
    /// Where it reads and writes; by default the caller's workspace. Another one needs a server key.
    workspace: Option<String>,
    /// Further workspaces it may read; needs a server key.
    #[serde(default)]
    reads: Vec<String>,
    /// The producer id of its events; kept by rotation.
    source: Option<String>,
    /// Administers the whole server, not one workspace; needs a server key.
    #[serde(default)]
    server: bool,
}

/// How a key is rotated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// How long the secret before works, such as `24h`; one day by default.
    overlap: Option<String>,
}

/// Make a key. Its secret is in this answer only.
#[utoipa::path(
    post,
    path = "/v1/keys",
    request_body = Wanted,
    responses((status = 201, description = "The key, with its secret", body = Value)),
    tag = "keys"
)]
async fn create(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let Wanted { name, scopes, workspace, reads, source, server } = request::json(&app, request).await?;
    let call = KeyCall { name, scopes, workspace, reads, source, server };
    Ok(reply::json_with(StatusCode::CREATED, &app.service.create_key(&principal, call).await?))
}

/// List keys, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/keys",
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "keys"
)]
async fn list(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&json!({"data": app.service.list_keys(&principal), "next_cursor": null})))
}

/// Give a key another secret; the one before works a while longer.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/rotate",
    params(("id" = String, Path, description = "The key's id")),
    request_body = Rotation,
    responses((status = 200, description = "The key, with its new secret", body = Value)),
    tag = "keys"
)]
async fn rotate(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let rotation: Rotation = request::json_or_default(&app, request).await?;
    Ok(reply::json(&app.service.rotate_key(&principal, &id, rotation.overlap.as_deref()).await?))
}

/// End a key at once.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "The key as it was", body = Value)),
    tag = "keys"
)]
async fn revoke(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.revoke_key(&principal, &id).await?))
}

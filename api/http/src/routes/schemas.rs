//! `/v1/schemas`: the JSON Schema of every event kind.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use partitura_service::Scope;
use serde_json::json;

use crate::app::App;
use crate::conditional;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::Answer;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_list>(Needs(Scope::Read), get(list)),
        Route::new::<__path_one>(Needs(Scope::Read), get(one)),
    ]
}

/// List the event kinds.
#[utoipa::path(
    get,
    path = "/v1/schemas",
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "schemas"
)]
async fn list(State(app): State<App>, Caller(_): Caller, uri: Uri, headers: HeaderMap) -> Answer {
    Params::of(&uri, &[])?;
    Ok(conditional::unchanging(&headers, &json!({"data": app.service.schemas(), "next_cursor": null})))
}

/// Get the JSON Schema of one kind's data.
#[utoipa::path(
    get,
    path = "/v1/schemas/{type}",
    params(("type" = String, Path, description = "An event kind, such as `task.completed`")),
    responses((status = 200, description = "A JSON Schema", body = Value)),
    tag = "schemas"
)]
async fn one(
    State(app): State<App>,
    Caller(_): Caller,
    Path(kind): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    Params::of(&uri, &[])?;
    Ok(conditional::unchanging(&headers, &app.service.schema(&kind)?))
}

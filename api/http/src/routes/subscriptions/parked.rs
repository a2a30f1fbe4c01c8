//! Events that consumers gave up: look at them, hand them out again, forget them.

use axum::extract::{Path, Request, State};
use axum::http::Uri;
use axum::routing::{get, post};
use partitura_event::{Position, Timestamp};
use partitura_service::{Scope, ShownEvent};
use serde::{Deserialize, Serialize};
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
        Route::new::<__path_parked>(Needs(Scope::Read), get(parked)),
        Route::new::<__path_replay>(Needs(Scope::Act), post(replay)),
        Route::new::<__path_discard>(Needs(Scope::Act), post(discard)),
    ]
}

/// List events that were given up, with the reason.
#[utoipa::path(
    get,
    path = "/v1/subscriptions/{name}/parked",
    params(
        ("name" = String, Path, description = "The subscription"),
        ("limit" = Option<usize>, Query, description = "At most this many, up to 1,000"),
    ),
    responses((status = 200, description = "`{data:[{position, attempts, reason, parked_at, event}], next_cursor}`", body = Value)),
    tag = "live"
)]
async fn parked(State(app): State<App>, Caller(principal): Caller, Path(name): Path<String>, uri: Uri) -> Answer {
    let limit = Params::of(&uri, &[&["limit"]])?.limit(100, 1_000)?;
    let parked = app.service.parked(&principal, &name, limit).await?;
    let shown = parked.iter().map(|(one, event)| ShownParked {
        position: one.position,
        attempts: one.attempts,
        reason: &one.reason,
        parked_at: one.parked_at,
        event: ShownEvent::from(event),
    });
    Ok(reply::json(&Page { data: shown.collect(), next_cursor: None }))
}

#[derive(Serialize)]
struct Page<'a> {
    data: Vec<ShownParked<'a>>,
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownParked<'a> {
    position: Position,
    attempts: u32,
    reason: &'a str,
    parked_at: Timestamp,
    event: ShownEvent<'a>,
}

/// Which parked events.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ParkedChosen {
    /// Their positions; all by default.
    #[schema(value_type = Option<Vec<u64>>)]
    positions: Option<Vec<Position>>,
}

/// Hand parked events out again, as if they were new.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{name}/replay",
    params(("name" = String, Path, description = "The subscription")),
    request_body = ParkedChosen,
    responses((status = 200, description = "`{replayed}`", body = Value)),
    tag = "live"
)]
async fn replay(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let ParkedChosen { positions } = request::json_or_default(&app, request).await?;
    let replayed = app.service.replay_parked(&principal, &name, positions.as_deref()).await?;
    Ok(reply::json(&json!({"replayed": replayed})))
}

/// Forget parked events.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{name}/discard",
    params(("name" = String, Path, description = "The subscription")),
    request_body = ParkedChosen,
    responses((status = 200, description = "`{discarded}`", body = Value)),
    tag = "live"
)]
async fn discard(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let ParkedChosen { positions } = request::json_or_default(&app, request).await?;
    let discarded = app.service.discard_parked(&principal, &name, positions.as_deref()).await?;
    Ok(reply::json(&json!({"discarded": discarded})))
}

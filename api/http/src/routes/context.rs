//! `/v1/context`: the passages worth putting in a prompt.

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::routing::post;
use partitura_service::Scope;
use serde_json::Value;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_context>(Needs(Scope::Read), post(context))]
}

/// Get the passages worth putting in a prompt, with their sources, within a budget of tokens.
///
/// `{"query", "agent_id", "conversation_id", "max_tokens", "min_position", "wait_ms", "as_of"}`.
#[utoipa::path(
    post,
    path = "/v1/context",
    request_body(content = Value, description = "What the prompt is about"),
    responses((status = 200, description = "Passages, best first", body = Value)),
    tag = "search"
)]
async fn context(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let body: Value = request::json(&app, request).await?;
    let found = app.service.context(&principal, body).await?;
    Ok(reply::at(reply::json(&found), found.position))
}

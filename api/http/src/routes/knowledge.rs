//! `/v1/knowledge`: note, read, supersede, retract.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use partitura_event::Problem;
use partitura_service::{Appended, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::{Params, READ_AT};
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_note>(Needs(Scope::Ingest), post(note)),
        Route::new::<__path_one>(Needs(Scope::Read), get(one)),
        Route::new::<__path_history>(Needs(Scope::Read), get(history)),
        Route::new::<__path_supersede>(Needs(Scope::Ingest), post(supersede)),
        Route::new::<__path_retract>(Needs(Scope::Ingest), post(retract)),
    ]
}

/// A piece of knowledge to be noted.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// Its id; a new one when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    knowledge_id: Option<String>,
    /// What is known.
    text: String,
    /// Short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// fact, pattern, solution or decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    /// What it comes from or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<String>>,
    /// From when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Value>,
    /// Until when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Value>,
    /// Agent that learned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    /// Task in which it was learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
}

/// What replaces it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// Id of the piece that replaces it.
    by: String,
}

/// Why it no longer holds.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Retraction {
    /// Why.
    reason: Option<String>,
}

/// Note a piece of knowledge.
#[utoipa::path(
    post,
    path = "/v1/knowledge",
    params(("Idempotency-Key" = Option<String>, Header, description = "Same key and body: the stored answer")),
    request_body = Note,
    responses((status = 201, description = "It is noted", body = Value)),
    tag = "memory"
)]
async fn note(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let key = request_key(request.headers())?;
    let note: Note = request::json(&app, request).await?;
    let data = match json!(note) {
        Value::Object(data) => data,
        _ => Map::new(),
    };
    let (id, appended) = app.service.note(&principal, data, key.as_deref()).await?;
    Ok(noted(&id, appended))
}

/// Get a piece of knowledge.
#[utoipa::path(
    get,
    path = "/v1/knowledge/{id}",
    params(
        ("id" = String, Path, description = "The piece"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "The piece", body = Value)),
    tag = "memory"
)]
async fn one(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[READ_AT])?;
    let (piece, position) = app.service.knowledge(&principal, &id, params.read_at()?).await?;
    Ok(reply::at(reply::json(&piece), position))
}

/// Get all versions of a piece of knowledge, oldest first.
#[utoipa::path(
    get,
    path = "/v1/knowledge/{id}/history",
    params(
        ("id" = String, Path, description = "The piece"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "memory"
)]
async fn history(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[READ_AT])?;
    let (versions, position) = app.service.knowledge_history(&principal, &id, params.read_at()?).await?;
    Ok(reply::at(reply::json(&json!({"data": versions, "next_cursor": null})), position))
}

/// Replace a piece of knowledge by another.
#[utoipa::path(
    post,
    path = "/v1/knowledge/{id}/supersede",
    params(("id" = String, Path, description = "The piece")),
    request_body = Replacement,
    responses((status = 201, description = "It is superseded", body = Value)),
    tag = "memory"
)]
async fn supersede(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let key = request_key(request.headers())?;
    let replacement: Replacement = request::json(&app, request).await?;
    let data = json!({"knowledge_id": id, "by": replacement.by});
    let appended = app.service.say_of_knowledge(&principal, "knowledge.superseded", &id, data, key.as_deref()).await?;
    Ok(noted(&id, appended))
}

/// Retract a piece of knowledge: it was wrong.
#[utoipa::path(
    post,
    path = "/v1/knowledge/{id}/retract",
    params(("id" = String, Path, description = "The piece")),
    request_body = Retraction,
    responses((status = 201, description = "It is retracted", body = Value)),
    tag = "memory"
)]
async fn retract(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let key = request_key(request.headers())?;
    let retraction: Retraction = request::json_or_default(&app, request).await?;
    let mut data = json!({"knowledge_id": id});
    if let Some(reason) = retraction.reason {
        data["reason"] = json!(reason);
    }
    let appended = app.service.say_of_knowledge(&principal, "knowledge.retracted", &id, data, key.as_deref()).await?;
    Ok(noted(&id, appended))
}

fn request_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let text = |value: &HeaderValue| {
        value.to_str().map(str::to_owned).map_err(|_| {
            let detail = "`Idempotency-Key` must be printable ASCII";
            Problem::invalid_field("Idempotency-Key", "control_character", detail)
        })
    };
    headers.get("idempotency-key").map(text).transpose()
}

fn noted(id: &str, mut appended: Appended) -> Response {
    appended.body.knowledge_id = Some(id.to_owned());
    reply::appended(appended)
}

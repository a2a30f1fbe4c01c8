//! `/api/public/…`: what Langfuse's SDKs send and ask besides traces.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use partitura_event::Problem;
use partitura_service::{Ingested, Scope};
use serde_json::{Value, json};

use crate::app::App;
use crate::credentials::Access::{Needs, Open};
use crate::credentials::Caller;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_scores>(Needs(Scope::Ingest), post(scores)),
        Route::new::<__path_ingestion>(Needs(Scope::Ingest), post(ingestion)),
        Route::new::<__path_projects>(Needs(Scope::Ingest), get(projects)),
        Route::new::<__path_health>(Open, get(health)),
    ]
}

/// Store scores, one or a list, as Langfuse's SDKs send them.
#[utoipa::path(
    post,
    path = "/api/public/scores",
    request_body(content = Value, description = "A score, or a list of them", content_type = "application/json"),
    responses(
        (status = 200, description = "The id of the one score", body = Value),
        (status = 202, description = "All of the list are stored", body = Value),
        (status = 207, description = "How many of the list are stored, and why others are not", body = Value),
    ),
    tag = "telemetry"
)]
async fn scores(State(app): State<App>, Caller(principal): Caller, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let received = request::batch(&app, &head.headers, body).await?;
    let mut kept = app.service.langfuse_scores(&principal, &received.bytes).await?;
    if kept.single {
        let one = kept.items.pop().transpose()?;
        return Ok(reply::json(&json!({"id": one.map(|kept| kept.id)})));
    }
    let errors: Vec<_> = kept.items.iter().filter_map(|item| item.as_ref().err()).collect();
    if errors.is_empty() {
        return Ok(reply::json_with(StatusCode::ACCEPTED, &json!({"message": "Accepted"})));
    }
    let (accepted, rejected) = (kept.items.len() - errors.len(), errors.len());
    let errors: Vec<_> = errors.into_iter().map(|problem| json!({"message": told(problem)})).collect();
    let answer = json!({"accepted": accepted, "rejected": rejected, "errors": errors});
    Ok(reply::json_with(StatusCode::MULTI_STATUS, &answer))
}

/// Store a batch of events about traces, observations and scores, as Langfuse's SDKs send them.
#[utoipa::path(
    post,
    path = "/api/public/ingestion",
    request_body(content = Value, description = "A batch of events", content_type = "application/json"),
    responses((status = 207, description = "What became of each event", body = Value)),
    tag = "telemetry"
)]
async fn ingestion(State(app): State<App>, Caller(principal): Caller, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let received = request::batch(&app, &head.headers, body).await?;
    let answers = app.service.langfuse_batch(&principal, &received.bytes).await?;
    let (stored, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.is_ok());
    let successes: Vec<_> = stored.iter().map(|(id, _)| json!({"id": id, "status": 201})).collect();
    let errors: Vec<_> = refused.into_iter().filter_map(error).collect();
    Ok(reply::json_with(StatusCode::MULTI_STATUS, &json!({"successes": successes, "errors": errors})))
}

fn error((id, answer): &Ingested) -> Option<Value> {
    let problem = answer.as_ref().err()?;
    // Its SDKs know 400 for what is not worth sending again.
    let status = if problem.class.http() == 422 { 400 } else { problem.class.http() };
    Some(json!({"id": id, "status": status, "message": told(problem), "error": problem.code}))
}

fn told(problem: &Problem) -> String {
    let issues: Vec<_> = problem.issues.iter().map(|issue| format!("{}: {}", issue.path, issue.message)).collect();
    let issues = if issues.is_empty() { String::new() } else { format!(" ({})", issues.join("; ")) };
    format!("{problem}{issues}")
}

/// Say which project a key belongs to: its workspace. SDKs check their keys by this.
#[utoipa::path(
    get,
    path = "/api/public/projects",
    responses((status = 200, description = "The workspace, as a project", body = Value)),
    tag = "telemetry"
)]
async fn projects(Caller(principal): Caller) -> Answer {
    let name = principal.workspace.as_str();
    let organization = json!({"id": "partitura", "name": "Partitura"});
    let project = json!({"id": name, "name": name, "organization": organization, "metadata": {}});
    Ok(reply::json(&json!({"data": [project]})))
}

/// Say that the server answers, and its version.
#[utoipa::path(
    get,
    path = "/api/public/health",
    responses((status = 200, description = "It lives", body = Value)),
    tag = "telemetry"
)]
async fn health() -> Answer {
    Ok(reply::json(&json!({"status": "OK", "version": env!("CARGO_PKG_VERSION")})))
}

//! `/v1/traces/ingest`: traces and spans as the Agents SDK of OpenAI exports them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use partitura_service::Scope;
use serde_json::json;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_traces>(Needs(Scope::Ingest), post(traces))]
}

/// Store traces and spans of OpenAI's Agents SDK.
#[utoipa::path(
    post,
    path = "/v1/traces/ingest",
    request_body(content = Value, description = "A list of traces and spans, `data`", content_type = "application/json"),
    responses(
        (status = 200, description = "All are stored", body = Value),
        (status = 207, description = "How many are stored, and why others are not", body = Value),
    ),
    tag = "telemetry"
)]
async fn traces(State(app): State<App>, Caller(principal): Caller, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let received = request::otlp(&app, &head.headers, body).await?;
    let answers = app.service.openai_traces(&principal, &received.bytes).await?;
    let total = answers.len();
    let mut refused: Vec<_> =
        answers.into_iter().enumerate().filter_map(|(at, answer)| Some((at, answer.err()?))).collect();
    if total > 0 && refused.len() == total {
        return Err(refused.swap_remove(0).1.into());
    }
    let status = if refused.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    let accepted = total - refused.len();
    let errors: Vec<_> =
        refused.iter().map(|(at, problem)| json!({"item": at, "message": problem.to_string()})).collect();
    Ok(reply::json_with(status, &json!({"accepted": accepted, "rejected": errors.len(), "errors": errors})))
}

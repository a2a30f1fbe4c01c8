//! `/healthz`, `/readyz`, `/metrics`: for those who run the server.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use partitura_service::Scope;
use serde_json::json;

use crate::app::App;
use crate::credentials::Access::{Needs, Open};
use crate::credentials::Caller;
use crate::reply::{self, Answer};
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        liveness(),
        Route::new::<__path_ready>(Open, get(ready)),
        Route::new::<__path_metrics>(Needs(Scope::Admin), get(metrics)),
    ]
}

/// Returns the route by which a listener says that it lives.
pub fn liveness() -> Route {
    Route::new::<__path_health>(Open, get(health))
}

/// Say that the process answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It lives", body = Value)), tag = "server")]
async fn health() -> Answer {
    Ok(reply::json(&json!({"status": "ok"})))
}

/// Say whether requests will be served, and what is missing.
#[utoipa::path(
    get,
    path = "/readyz",
    responses(
        (status = 200, description = "Ready; parts may be missing", body = Value),
        (status = 503, description = "Not ready, and why", body = Value),
    ),
    tag = "server"
)]
async fn ready(State(app): State<App>) -> Answer {
    let readiness = app.service.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(reply::json_with(status, &readiness))
}

/// Get the metrics of the whole server, for Prometheus; with a server key, where keys are in use.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, description = "Prometheus text", content_type = "text/plain", body = String)),
    tag = "server"
)]
async fn metrics(State(app): State<App>, Caller(principal): Caller) -> Answer {
    let mut response = Response::new(app.service.scrape(&principal).await?.into());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

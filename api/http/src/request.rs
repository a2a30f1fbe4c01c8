//! Reading one request: its body within the limits of its route.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use bytes::Bytes;
use partitura_event::Problem;
use partitura_service::{BodyShare, fields};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::body::{self, Received};

/// Reads the body of an append: up to a batch.
pub async fn batch(app: &App, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
    let settings = app.service.settings();
    body::receive(headers, body, settings, settings.batch_bytes_max, app.service.body_share()).await
}

/// Reads the body of a telemetry export.
pub async fn otlp(app: &App, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
    let settings = app.service.settings();
    body::receive(headers, body, settings, settings.otlp_bytes_max, app.service.body_share()).await
}

/// Reads the body of a question: up to the size of one event.
pub async fn small(app: &App, headers: &HeaderMap, body: Body) -> Result<(Bytes, BodyShare), Problem> {
    let settings = app.service.settings();
    let received = body::receive(headers, body, settings, settings.event_bytes_max, app.service.body_share()).await?;
    Ok((received.bytes, received.share))
}

/// Reads a JSON body into `T`.
pub async fn json<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    let (bytes, _share) = small(app, &parts.headers, body).await?;
    fields::read(&bytes)
}

/// Reads a JSON body into `T`; an empty body is the default.
pub async fn json_or_default<T: DeserializeOwned + Default>(app: &App, request: Request) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    let (bytes, _share) = small(app, &parts.headers, body).await?;
    if bytes.is_empty() { Ok(T::default()) } else { fields::read(&bytes) }
}

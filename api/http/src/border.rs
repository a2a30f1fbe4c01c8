//! The outermost layer: trace id, panics, problem bodies, timing, counting. Every answer passes here.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use partitura_event::{ErrorClass, Position, Problem};
use tracing::Instrument;

use crate::app::App;
use crate::failure::{Extended, Failure, render, render_extended};
use crate::mount::OwnWords;
use crate::routes;

/// Header that names the position of the answer.
pub const POSITION: HeaderName = HeaderName::from_static("x-partitura-position");
const TRACE: HeaderName = HeaderName::from_static("x-trace-id");
const TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The position at which a handler answered; without it the border writes the published one.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredAt(pub Option<Position>);

/// Further parts of `Server-Timing`, such as `rows;desc="120"`.
#[derive(Clone, Debug)]
pub struct Timing(pub String);

/// Wraps every request.
pub async fn border(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trace_id = trace_id(request.headers());
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let is_export = request.method() == Method::POST;
    let otlp = if is_export { routes::otlp::refusal_encoding(&route, request.headers()) } else { None };
    let span = tracing::info_span!("request", method, route, trace_id);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|_| {
        let problem = Problem::new(ErrorClass::Internal, "the request hit a defect; the server goes on")
            .code("panic")
            .hint("please report it with the trace_id");
        Failure::from(problem).into_response()
    });
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        if failure.0.class.http() >= 500 {
            let _in_span = span.enter();
            tracing::warn!(code = failure.0.code, detail = app.service.loggable(&failure.0.detail), "request failed");
        }
        render(&mut response, &failure.0, &trace_id);
        if let Some(encoding) = otlp {
            routes::otlp::render(&mut response, &failure.0, encoding);
        }
    }
    if let Some(extended) = response.extensions_mut().remove::<Extended>() {
        render_extended(&mut response, extended, &trace_id);
    }
    if otlp.is_none()
        && let Some(problem) = foreign_refusal(&response)
    {
        render(&mut response, &problem, &trace_id);
    }
    stamp(&app, &mut response, &trace_id, started);
    tracing::debug!(
        parent: &span,
        status = response.status().as_u16(),
        took_ms = started.elapsed().as_secs_f64() * 1e3,
        "answered"
    );
    app.service.metrics().answered(method, &route, response.status().as_u16(), started.elapsed());
    response
}

/// What the framework refuses by itself, such as a path that is no text, becomes a problem too.
fn foreign_refusal(response: &Response) -> Option<Problem> {
    let status = response.status();
    let is_ours = response.headers().get("content-type").is_some_and(|value| value == "application/problem+json");
    let is_ours = is_ours || response.extensions().get::<OwnWords>().is_some();
    if is_ours || !(status.is_client_error() || status.is_server_error()) || status == StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let class = ErrorClass::ALL.iter().copied().find(|class| class.http() == status.as_u16());
    let class = class.unwrap_or(if status.is_client_error() { ErrorClass::Malformed } else { ErrorClass::Internal });
    Some(Problem::new(class, "the request cannot be read: check the path and the headers").code("unreadable_request"))
}

fn stamp(app: &App, response: &mut Response, trace_id: &str, started: Instant) {
    let at = response.extensions().get::<AnsweredAt>().map_or_else(|| app.service.published(), |at| at.0);
    let more = response.extensions_mut().remove::<Timing>();
    let took = started.elapsed().as_secs_f64() * 1e3;
    let timing = match more {
        Some(Timing(more)) => format!("total;dur={took:.3}, {more}"),
        None => format!("total;dur={took:.3}"),
    };
    let headers = response.headers_mut();
    headers.insert(POSITION, HeaderValue::from(at.map_or(0, Position::get)));
    if let Ok(value) = HeaderValue::from_str(trace_id) {
        headers.insert(TRACE, value);
    }
    if let Ok(value) = HeaderValue::from_str(&timing) {
        headers.insert(TIMING, value);
    }
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
}

/// Takes the trace id of a W3C `traceparent`, or draws one.
fn trace_id(headers: &HeaderMap) -> String {
    let given = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let id = given
        .and_then(|text| text.split('-').nth(1))
        .filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0'));
    id.map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_lowercase)
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "OTHER",
    }
}

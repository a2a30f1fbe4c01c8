//! Requests that a browser carries for a foreign page never reach a loopback server without keys.
//!
//! A page on the internet can point its own name at 127.0.0.1 (DNS rebinding) or post a form there. On a loopback
//! address the `Host` must therefore name this machine, and an `Origin` must be of this machine too. Pages of this
//! machine and of `allowed_hosts` may read answers across origins (CORS); others never.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use partitura_event::{ErrorClass, Problem};

use crate::app::{App, Listener};
use crate::failure::Failure;

/// What a page of another origin may send, and may read of an answer.
const SENDS: &str = "authorization, content-type, x-api-key, x-partitura-workspace, idempotency-key, if-match, \
    if-none-match, last-event-id, traceparent, mcp-protocol-version, mcp-method, mcp-name";
const READS: &str = "x-partitura-position, x-partitura-truncated, x-query-id, x-trace-id, server-timing, idempotent-replayed, retry-after";
const METHODS: &str = "GET, POST, PATCH, DELETE";
/// Seconds for which a browser need not ask again.
const REMEMBERED: &str = "600";

/// Checks `Host` and `Origin`, and lets pages of known origins read the answers.
pub async fn same_machine(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Err(problem) = check(&app.listener, request.headers()) {
        return Failure::from(problem).into_response();
    }
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    if !is_ours(&app.listener, host_of(&lowered(&origin))) {
        return next.run(request).await;
    }
    let asks_first =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first { permission() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READS));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// Answers a browser that asks before it sends.
fn permission() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENDS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
    response
}

/// Refuses pages of unknown origins on any address, for protocols that ask for that.
pub fn known_page(listener: &Listener, headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::ORIGIN).map(lowered) {
        Some(origin) if !is_ours(listener, host_of(&origin)) => Err(foreign("Origin", &origin)),
        _ => Ok(()),
    }
}

fn check(listener: &Listener, headers: &HeaderMap) -> Result<(), Problem> {
    if !listener.lobby.loopback {
        return Ok(());
    }
    if let Some(host) = headers.get(header::HOST).map(lowered)
        && !is_ours(listener, &host)
    {
        return Err(foreign("Host", &host));
    }
    known_page(listener, headers)
}

fn lowered(value: &HeaderValue) -> String {
    value.to_str().unwrap_or("?").to_ascii_lowercase()
}

/// Returns the host and port of an origin.
fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

fn is_ours(listener: &Listener, host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || listener.allowed_hosts.iter().any(|allowed| allowed == name)
}

fn foreign(header: &str, value: &str) -> Problem {
    Problem::new(ErrorClass::Forbidden, format!("{header} {value:.100} is not this machine"))
        .code("foreign_origin")
        .hint("call it as localhost or 127.0.0.1, or add the name to the setting `allowed_hosts`")
}

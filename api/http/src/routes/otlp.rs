//! `/v1/traces`, `/v1/logs`, `/v1/metrics`: OTLP over HTTP. The one place that speaks `google.rpc.Status`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{get, post};
use partitura_event::Problem;
use partitura_service::otlp::reply::{self as otlp_reply, Refusal};
use partitura_service::otlp::{Encoding, Signal};
use partitura_service::{OtlpCall, Scope};

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    let langfuse = Route::new::<__path_langfuse_traces>(Needs(Scope::Ingest), post(langfuse_traces));
    let more = [in_otlp(langfuse), Route::new::<__path_health>(Needs(Scope::Read), get(health))];
    exports().into_iter().chain(more).collect()
}

/// Returns the routes of OTLP's own paths.
pub fn exports() -> [Route; 3] {
    [
        Route::new::<__path_traces>(Needs(Scope::Ingest), post(traces)),
        Route::new::<__path_logs>(Needs(Scope::Ingest), post(logs)),
        Route::new::<__path_metrics>(Needs(Scope::Ingest), post(metrics)),
    ]
    .map(in_otlp)
}

fn in_otlp(route: Route) -> Route {
    route.takes(MEDIA).gives(MEDIA.iter().copied())
}

/// Encodings of requests; an answer has that of its request.
const MEDIA: &[&str] = &["application/json", "application/x-protobuf"];
/// Where Langfuse's SDKs send their traces.
const LANGFUSE_TRACES: &str = "/api/public/otel/v1/traces";

macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $signal:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            request_body(content = Value, description = "An export request", content_type = "application/json"),
            responses(
                (status = 200, description = "Stored; `partial_success` tells what was refused", body = Value),
                (status = 400, description = "It cannot be read; do not send it again", content(
                    ("application/json"), ("application/x-protobuf"))),
                (status = 401, description = "A valid key is needed", content(
                    ("application/json"), ("application/x-protobuf"))),
                (status = 403, description = "Not allowed with this key", content(
                    ("application/json"), ("application/x-protobuf"))),
                (status = 413, description = "It is over the limit", content(
                    ("application/json"), ("application/x-protobuf"))),
                (status = 415, description = "The content type or coding is not supported", content(
                    ("application/json"), ("application/x-protobuf"))),
                (status = 429, description = "Send it again after `Retry-After`", content(
                    ("application/json"), ("application/x-protobuf"))),
                (status = 503, description = "Send it again after `Retry-After`", content(
                    ("application/json"), ("application/x-protobuf"))),
            ),
            tag = "telemetry"
        )]
        async fn $name(State(app): State<App>, Caller(principal): Caller, request: Request) -> Answer {
            export(&app, &principal, $signal, request).await
        }
    )*};
}

exports! {
    /// Export spans in OTLP.
    traces, "/v1/traces", Signal::Traces;
    /// Export log records in OTLP.
    logs, "/v1/logs", Signal::Logs;
    /// Export metrics in OTLP.
    metrics, "/v1/metrics", Signal::Metrics;
    /// Export spans in OTLP, where Langfuse's SDKs send them.
    langfuse_traces, "/api/public/otel/v1/traces", Signal::Traces;
}

/// Say how well telemetry is understood: by source, what was recognised, unknown, dropped and refused.
#[utoipa::path(
    get,
    path = "/v1/ingest/health",
    responses((status = 200, description = "What became of the latest records", body = Value)),
    tag = "ingest"
)]
async fn health(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    let (health, position) = app.service.ingest_health(&principal).await?;
    Ok(reply::at(reply::json(&health), position))
}

async fn export(app: &App, principal: &partitura_service::Principal, signal: Signal, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let encoding = Encoding::parse(content_type(&head.headers))?;
    let received = request::otlp(app, &head.headers, body).await?;
    let call = OtlpCall { signal, encoding, body: &received.bytes };
    let taken = app.service.export_otlp(principal, call).await?;
    let body = otlp_reply::taken(signal, encoding, taken.rejected, &taken.message);
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding.media()));
    Ok(reply::at(response, taken.position))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

/// Returns how a refusal on this route is encoded; nothing if the route is not of OTLP.
pub fn refusal_encoding(route: &str, headers: &HeaderMap) -> Option<Encoding> {
    let is_ours = route == LANGFUSE_TRACES || Signal::ALL.iter().any(|signal| signal.path() == route);
    is_ours.then(|| Encoding::parse(content_type(headers)).unwrap_or(Encoding::Json))
}

/// Makes a rendered refusal one of OTLP.
pub fn render(response: &mut Response, problem: &Problem, encoding: Encoding) {
    let refusal = Refusal::of(problem);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding.media()));
    if let Some(wait) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    *response.status_mut() = StatusCode::from_u16(refusal.http).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    *response.body_mut() = Body::from(refusal.encode(encoding));
}

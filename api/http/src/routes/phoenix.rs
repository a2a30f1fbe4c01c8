//! `/v1/span_annotations`, `/v1/trace_annotations`, `/v1/session_annotations`: scores as Phoenix's clients send them.

use axum::extract::{Request, State};
use axum::routing::post;
use partitura_service::{Scope, Target};
use serde_json::json;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_spans>(Needs(Scope::Ingest), post(spans)),
        Route::new::<__path_traces>(Needs(Scope::Ingest), post(traces)),
        Route::new::<__path_sessions>(Needs(Scope::Ingest), post(sessions)),
    ]
}

macro_rules! annotations {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $target:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            params(("sync" = Option<bool>, Query, description = "Taken, and always true: what is answered is stored")),
            request_body(content = Value, description = "A list of annotations, `data`", content_type = "application/json"),
            responses((status = 200, description = "The ids of the annotations", body = Value)),
            tag = "telemetry"
        )]
        async fn $name(State(app): State<App>, Caller(principal): Caller, request: Request) -> Answer {
            annotate(&app, &principal, $target, request).await
        }
    )*};
}

annotations! {
    /// Annotate spans, as Phoenix's clients do.
    spans, "/v1/span_annotations", Target::Span;
    /// Annotate traces, as Phoenix's clients do.
    traces, "/v1/trace_annotations", Target::Trace;
    /// Annotate sessions, as Phoenix's clients do.
    sessions, "/v1/session_annotations", Target::Session;
}

async fn annotate(app: &App, principal: &partitura_service::Principal, target: Target, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    Params::of(&head.uri, &[&["sync"]])?;
    let received = request::batch(app, &head.headers, body).await?;
    let ids = app.service.annotate(principal, target, &received.bytes).await?;
    let data: Vec<_> = ids.into_iter().map(|id| json!({"id": id})).collect();
    Ok(reply::json(&json!({"data": data})))
}

//! Another protocol at a path of this listener: behind the same border, limits and keys, with answers of its own.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::any;
use axum::{Router, http};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::combinators::BoxBody;

use crate::app::App;
use crate::credentials::{Access, Caller, guard};
use crate::origin::known_page;
use crate::reply::Answer;
use crate::request;

/// A whole body goes in, with the caller's `Principal` among the request's extensions; a body comes out.
type Handler =
    dyn Fn(http::Request<Bytes>) -> BoxFuture<'static, http::Response<BoxBody<Bytes, Infallible>>> + Send + Sync;

/// A protocol of another crate.
#[derive(Clone)]
pub struct Mount {
    path: &'static str,
    answer: Arc<Handler>,
}

/// Marks answers that refuse in the protocol's own words.
#[derive(Clone, Copy, Debug)]
pub struct OwnWords;

impl Mount {
    /// Makes one that answers everything at `path`. It asks for the scopes that its calls need.
    pub fn new<F>(path: &'static str, answer: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> BoxFuture<'static, http::Response<BoxBody<Bytes, Infallible>>>,
        F: Send + Sync + 'static,
    {
        Self { path, answer: Arc::new(answer) }
    }

    /// Adds it to the router, behind a guard that lets every known caller in.
    pub fn mount(self, router: Router<App>, app: &App) -> Router<App> {
        let layer = from_fn_with_state((app.clone(), Access::Known), guard);
        let answer = self.answer;
        let handler = move |State(app): State<App>, Caller(principal): Caller, request: Request| async move {
            pass(app, principal, request, answer).await
        };
        router.route(self.path, any(handler).layer(layer))
    }
}

async fn pass(app: App, principal: partitura_service::Principal, request: Request, answer: Arc<Handler>) -> Answer {
    known_page(&app.listener, request.headers())?;
    let (mut parts, body) = request.into_parts();
    let received = request::batch(&app, &parts.headers, body).await?;
    parts.headers.remove(header::CONTENT_ENCODING);
    parts.extensions.insert(principal);
    let answered = answer(http::Request::from_parts(parts, received.bytes)).await;
    // Held until here: what was parsed of the body is no larger than a small multiple of it.
    drop(received.share);
    let mut response: Response = answered.map(Body::new);
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == "application/json") {
        response.extensions_mut().insert(OwnWords);
    }
    Ok(response)
}

//! The router on a bound address.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_net::{Bound, Listening};
use partitura_service::{Secret, Service};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Listener};
use crate::border::border;
use crate::connections::Http1;
use crate::failure::Failure;
use crate::mount::Mount;
use crate::origin::same_machine;
use crate::routes;

/// Serves the API, and other protocols beside it, on a bound address.
pub fn serve(bound: Bound, service: Arc<Service>, operator: Secret, mounts: Vec<Mount>) -> Listening {
    let (stop, uri) = (CancellationToken::new(), format!("http://{}", bound.address()));
    let settings = service.settings().clone();
    let listener = Listener { loopback: bound.is_loopback(), allowed_hosts: settings.allowed_hosts.clone(), operator };
    let app = App { service, stop: stop.clone(), listener: Arc::new(listener) };
    let protocol = Http1::new(router(&app, mounts), &settings);
    partitura_net::serve(bound, uri, protocol, settings.connections_max, stop)
}

fn router(app: &App, mounts: Vec<Mount>) -> Router {
    let mut router = Router::new();
    for route in routes::all() {
        router = route.mount(router, app);
    }
    for mount in mounts {
        router = mount.mount(router, app);
    }
    // The fallbacks come last: they hold for the routes that are there.
    router
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), same_machine))
        .layer(from_fn_with_state(app.clone(), border))
        .with_state(app.clone())
}

async fn no_route(uri: axum::http::Uri) -> Response {
    let list = crate::route_list();
    let problem = Problem::new(ErrorClass::NotFound, format!("there is no {:.100}", uri.path()))
        .code("unknown_route")
        .suggest(uri.path(), list.iter().map(|(_, path)| path.as_str()))
        .hint("/openapi.json describes every route");
    Failure::from(problem).into_response()
}

/// Axum adds `Allow` to either answer.
async fn wrong_method(method: Method, uri: axum::http::Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{method} is not for {:.100}", uri.path());
    let problem = Problem::new(ErrorClass::MethodNotAllowed, detail)
        .hint("the header Allow names its methods; /openapi.json describes every route");
    Failure::from(problem).into_response()
}

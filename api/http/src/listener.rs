//! The router on a bound address: that of the API, and that of OTLP alone.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_net::{Bound, Listening};
use partitura_service::{Lobby, Secret, Service};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Listener};
use crate::border::border;
use crate::connections::Http1;
use crate::failure::Failure;
use crate::mount::Mount;
use crate::origin::same_machine;
use crate::route::Route;
use crate::routes;

/// Where the API describes itself.
const DESCRIPTION: &str = "/openapi.json";

/// Serves the API, and other protocols beside it, on a bound address.
pub fn serve(bound: Bound, service: Arc<Service>, operator: Secret, mounts: Vec<Mount>) -> Listening {
    listen(bound, service, operator, routes::all(), mounts)
}

/// Serves only what exporters of OpenTelemetry ask for, on the port where they look for it.
pub fn serve_otlp(bound: Bound, service: Arc<Service>, operator: Secret) -> Listening {
    listen(bound, service, operator, routes::of_otlp(), Vec::new())
}

fn listen(bound: Bound, service: Arc<Service>, operator: Secret, routes: Vec<Route>, mounts: Vec<Mount>) -> Listening {
    let (stop, uri) = (CancellationToken::new(), format!("http://{}", bound.address()));
    let settings = service.settings().clone();
    let lobby = Lobby { loopback: bound.is_loopback(), operator };
    let listener = Listener { lobby, allowed_hosts: settings.allowed_hosts.clone() };
    let app = App { service, stop: stop.clone(), listener: Arc::new(listener) };
    let protocol = Http1::new(router(&app, routes, mounts), &settings);
    partitura_net::serve(bound, uri, protocol, settings.connections_max, stop)
}

fn router(app: &App, routes: Vec<Route>, mounts: Vec<Mount>) -> Router {
    let mut router = Router::new();
    let paths: Arc<[String]> = routes.iter().map(|route| routes::openapi::shown(&route.path)).collect();
    for route in routes {
        router = route.mount(router, app);
    }
    for mount in mounts {
        router = mount.mount(router, app);
    }
    // The fallbacks come last: they hold for the routes that are there.
    router
        .fallback(move |uri: Uri| async move { no_route(&uri, &paths) })
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), same_machine))
        .layer(from_fn_with_state(app.clone(), border))
        .with_state(app.clone())
}

fn no_route(uri: &Uri, paths: &[String]) -> Response {
    let hint = match paths.iter().any(|path| path == DESCRIPTION) {
        true => format!("{DESCRIPTION} describes every route"),
        false => format!("this port serves {}; all else is on the port of --http", paths.join(", ")),
    };
    let problem = Problem::new(ErrorClass::NotFound, format!("there is no {:.100}", uri.path()))
        .code("unknown_route")
        .suggest(uri.path(), paths.iter().map(String::as_str))
        .hint(hint);
    Failure::from(problem).into_response()
}

/// Axum adds `Allow` to either answer.
async fn wrong_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{method} is not for {:.100}", uri.path());
    let problem = Problem::new(ErrorClass::MethodNotAllowed, detail)
        .hint("the header Allow names its methods; /openapi.json describes every route");
    Failure::from(problem).into_response()
}

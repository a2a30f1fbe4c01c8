//! HTTP: decodes a request, makes one call of the service, encodes its answer. No rule lives here.
//!
//! Suggested reading order follows the module list. Life of a request: [`border`] gives it a trace id and will
//! render what goes wrong; [`origin`] checks who carries it; [`credentials`] finds its principal and refuses a
//! missing scope; a handler of [`routes`] reads [`query`] and [`body`], calls the service and answers through
//! [`reply`] or [`rows`].

mod app;
mod border;
mod connections;
mod listener;
mod mount;
mod route;
mod routes;

mod body;
mod conditional;
mod credentials;
mod cursor;
mod download;
mod failure;
mod origin;
mod query;
mod range;
mod reply;
mod request;
mod rows;

pub use listener::{serve, serve_otlp};
pub use mount::Mount;
pub use routes::openapi::document;

/// Returns method and path of every route of the router.
pub fn route_list() -> Vec<(String, String)> {
    let method = |route: &route::Route| serde_json::to_value(&route.method).ok();
    let name = |route: &route::Route| method(route).and_then(|value| value.as_str().map(str::to_owned));
    routes::all().iter().map(|route| (name(route).unwrap_or_default(), routes::openapi::shown(&route.path))).collect()
}

//! A bound address and the server on it: start, stop within a time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Secret, Service};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Listener};
use crate::border::border;
use crate::connections::Connections;
use crate::failure::Failure;
use crate::mount::Mount;
use crate::origin::same_machine;
use crate::routes;

/// An address that is ours, before anything is served on it.
#[derive(Debug)]
pub struct Bound {
    socket: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Returns the address, with the port that was picked.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whether only this machine can reach it.
    pub const fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

/// Binds `address`. The error says who may hold it and what to do.
pub async fn bind(address: SocketAddr) -> Result<Bound, Problem> {
    let socket = TcpListener::bind(address).await.map_err(|error| refused(address, &error))?;
    let address = socket.local_addr().map_err(|error| refused(address, &error))?;
    Ok(Bound { socket, address })
}

fn refused(address: SocketAddr, error: &io::Error) -> Problem {
    let (detail, hint) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            format!("{address} is in use by another program"),
            "stop that program, or choose another address with --http (port 0 picks a free one)",
        ),
        io::ErrorKind::PermissionDenied => {
            (format!("{address} may not be used by you"), "choose a port above 1023 with --http")
        }
        _ => (format!("{address} cannot be used: {error}"), "choose another address with --http"),
    };
    Problem::new(ErrorClass::Unavailable, detail).code("address_unusable").hint(hint)
}

/// How long connections that are cut off are waited for.
const CUT_MAX: Duration = Duration::from_millis(500);

/// A running listener.
#[derive(Debug)]
pub struct Http {
    stop: CancellationToken,
    cut: CancellationToken,
    task: JoinHandle<()>,
}

impl Http {
    /// Serves the API, and other protocols beside it, on a bound address.
    pub fn serve(bound: Bound, service: Arc<Service>, operator: Secret, mounts: Vec<Mount>) -> Self {
        let stop = CancellationToken::new();
        let settings = service.settings().clone();
        let listener =
            Listener { loopback: bound.is_loopback(), allowed_hosts: settings.allowed_hosts.clone(), operator };
        let app = App { service, stop: stop.clone(), listener: Arc::new(listener) };
        let connections = Connections::new(router(&app, mounts), &settings, stop.clone());
        let cut = connections.cut();
        let task = tokio::spawn(connections.serve(bound.socket));
        Self { stop, cut, task }
    }

    /// Takes no new connections, lets running requests end for `limit`, then cuts them off.
    pub async fn stop(mut self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, &mut self.task).await.is_err() {
            tracing::warn!(limit_ms = limit.as_millis() as u64, "requests were cut off");
            self.cut.cancel();
            // One that does not give way keeps its thread, and ends with the process.
            let _ = tokio::time::timeout(CUT_MAX, &mut self.task).await;
        }
    }
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

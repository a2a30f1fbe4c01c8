//! HTTP/1.1 connections: each with a time for its heads, ended gracefully; who finds no place is told so.
//!
//! What a connection is upgraded to stays that connection: it keeps its place, and ends with it.
//!
//! A client that sends the head of a request byte by byte, or stays silent between two, is closed after
//! `idle_timeout`, one that stops reading after twice `stall_timeout`; one that comes when `connections_max` are open is told so and closed. Neither costs the others.

mod stall;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use partitura_event::{ErrorClass, Problem};
use partitura_net::Protocol;
use partitura_service::{Settings, members};
use serde_json::Value;
use stall::Stalling;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Most bytes of a request's head; hyper answers 431 beyond it.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a client that is turned away is given to take its answer.
const FAREWELL: Duration = Duration::from_millis(500);

/// Requests over HTTP/1.1, answered by a router.
pub struct Http1 {
    router: Router,
    builder: http1::Builder,
    /// How long a client that reads nothing keeps its connection. A stream that is given up for it after half of
    /// that time can still say so, if the client reads on.
    stall_max: Duration,
}

impl Http1 {
    /// Makes the protocol, within the limits of the settings.
    pub fn new(router: Router, settings: &Settings) -> Self {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(settings.idle_timeout).max_header_size(HEAD_BYTES_MAX);
        Self { router, builder, stall_max: settings.stall_timeout * 2 }
    }
}

impl Protocol for Http1 {
    async fn serve(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        let upgraded = Upgraded::default();
        let _cut = upgraded.cut.clone().drop_guard();
        let service = Upgradeable { router: TowerToHyperService::new(self.router.clone()), upgraded: upgraded.clone() };
        let stream = TokioIo::new(Stalling::new(stream, self.stall_max));
        let mut connection = pin!(self.builder.serve_connection(stream, service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
        upgraded.tasks.close();
        upgraded.tasks.wait().await;
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, max: usize) {
        turn_away(stream, max).await;
    }
}

/// What a connection is when it is HTTP no more. Handlers find it among the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct Upgraded {
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl Upgraded {
    /// Keeps the connection's place until the token is dropped.
    pub fn hold(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Returns what is cancelled when the connection is cut off.
    pub fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }
}

struct Upgradeable {
    router: TowerToHyperService<Router>,
    upgraded: Upgraded,
}

impl Service<hyper::Request<Incoming>> for Upgradeable {
    type Response = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.upgraded.clone());
        self.router.call(request)
    }
}

/// Answers without reading, because there is no place to read in.
async fn turn_away(mut stream: TcpStream, max: usize) {
    let problem = Problem::new(ErrorClass::Unavailable, format!("{max} connections are open: that is the limit"))
        .code("too_many_connections")
        .hint("keep connections alive and share them, or raise `connections_max`");
    let body = Value::Object(members(&problem)).to_string();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let farewell = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would reset the connection, and the answer with it.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tracing::debug!("a client that was turned away did not hang up");
    }
}

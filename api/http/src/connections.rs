//! HTTP/1.1 connections: each with a time for its heads, ended gracefully; who finds no place is told so.
//!
//! A client that sends the head of a request byte by byte, or stays silent between two, is closed after
//! `idle_timeout`; one that comes when `connections_max` are open is told so and closed. Neither costs the others.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use partitura_event::{ErrorClass, Problem};
use partitura_net::Protocol;
use partitura_service::{Settings, members};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Most bytes of a request's head; hyper answers 431 beyond it.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a client that is turned away is given to take its answer.
const FAREWELL: Duration = Duration::from_millis(500);

/// Requests over HTTP/1.1, answered by a router.
pub struct Http1 {
    router: Router,
    builder: http1::Builder,
}

impl Http1 {
    /// Makes the protocol, within the limits of the settings.
    pub fn new(router: Router, settings: &Settings) -> Self {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(settings.idle_timeout).max_header_size(HEAD_BYTES_MAX);
        Self { router, builder }
    }
}

impl Protocol for Http1 {
    async fn serve(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        let service = TowerToHyperService::new(self.router.clone());
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
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
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, max: usize) {
        turn_away(stream, max).await;
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

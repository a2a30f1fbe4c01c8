//! Connections of one listener: so many at once, each with a time for its heads, ended gracefully or cut off.
//!
//! A client that sends the head of a request byte by byte, or stays silent between two, is closed after
//! `idle_timeout`; one that comes when `connections_max` are open is told so and closed. Neither costs the others.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Settings, members};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most bytes of a request's head; hyper answers 431 beyond it.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Pause after the system refused a connection, most often because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// How long a client that is turned away is given to take its answer.
const FAREWELL: Duration = Duration::from_millis(500);

/// Accepts and serves connections until it is told to stop.
pub struct Connections {
    router: Router,
    builder: http1::Builder,
    places: Arc<Semaphore>,
    max: usize,
    /// Cancelled: no new connections, and those that are idle end.
    stop: CancellationToken,
    /// Cancelled: what still runs is cut off.
    cut: CancellationToken,
    open: TaskTracker,
}

impl Connections {
    /// Makes them for a router, within the limits of the settings.
    pub fn new(router: Router, settings: &Settings, stop: CancellationToken) -> Self {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(settings.idle_timeout).max_header_size(HEAD_BYTES_MAX);
        let max = settings.connections_max.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(max));
        Self { router, builder, places, max, stop, cut: CancellationToken::new(), open: TaskTracker::new() }
    }

    /// Returns the token that cuts off what still runs.
    pub fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// Serves until `stop`, and returns when the last connection has ended.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.open(stream),
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "connections cannot be accepted; trying again");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        self.open.close();
        self.open.wait().await;
    }

    fn open(&self, stream: TcpStream) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.open.spawn(turn_away(stream, self.max));
            return;
        };
        // An answer is written whole; waiting for more to send with it would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        let service = TowerToHyperService::new(self.router.clone());
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        let (stop, cut) = (self.stop.clone(), self.cut.clone());
        self.open.spawn(async move {
            let _place = place;
            let mut connection = pin!(connection);
            let ended = async {
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = stop.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.as_mut().await
                    }
                }
            };
            tokio::select! {
                ended = ended => if let Err(error) = ended { tracing::debug!(%error, "connection ended") },
                () = cut.cancelled() => {}
            }
        });
    }
}

/// A client that was gone before it was served is no fault of ours.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
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

//! HTTP/2 connections: so many at once, each with a time for its first call, asked whether it still lives, ended
//! gracefully or cut off.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::border::Border;
use crate::tls::Tls;

/// Most bytes of the heads of a call.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Calls of one connection at the same time.
const STREAMS_MAX: u32 = 128;
/// Bytes of a call, and of a connection, that may be on their way.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// Pause after the system refused a connection, most often because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Accepts and serves connections until it is told to stop.
pub struct Connections {
    border: Arc<Border>,
    builder: http2::Builder<TokioExecutor>,
    tls: Option<Tls>,
    places: Arc<Semaphore>,
    idle: Duration,
    /// Cancelled: no new connections, and those that are idle end.
    stop: CancellationToken,
    /// Cancelled: what still runs is cut off.
    cut: CancellationToken,
    open: TaskTracker,
}

impl Connections {
    /// Makes them within the limits of the settings.
    pub fn new(border: Border, tls: Option<Tls>, stop: CancellationToken) -> Self {
        let settings = border.settings();
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(settings.stall_timeout))
            .keep_alive_timeout(settings.stall_timeout)
            .max_header_list_size(HEAD_BYTES_MAX)
            .max_concurrent_streams(STREAMS_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let places = Arc::new(Semaphore::new(settings.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
        let idle = settings.idle_timeout;
        let (cut, open) = (CancellationToken::new(), TaskTracker::new());
        Self { border: Arc::new(border), builder, tls, places, idle, stop, cut, open }
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
        // HTTP/2 has no answer before its first call: who finds no place is hung up on, and tries again.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::debug!("a connection was closed: `connections_max` are open");
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        let one = Connection {
            border: Arc::clone(&self.border),
            builder: self.builder.clone(),
            idle: self.idle,
            stop: self.stop.clone(),
        };
        let (tls, cut) = (self.tls.clone(), self.cut.clone());
        self.open.spawn(async move {
            let _place = place;
            tokio::select! {
                () = one.accepted(stream, tls) => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

/// What one connection needs.
struct Connection {
    border: Arc<Border>,
    builder: http2::Builder<TokioExecutor>,
    idle: Duration,
    stop: CancellationToken,
}

impl Connection {
    async fn accepted(self, stream: TcpStream, tls: Option<Tls>) {
        let Some(Tls(acceptor)) = tls else { return self.serve(stream).await };
        match tokio::time::timeout(self.idle, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a client failed to agree on TLS"),
            Err(_) => tracing::debug!("a client took too long to agree on TLS"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let called = Arc::new(AtomicBool::new(false));
        let (border, seen) = (self.border, Arc::clone(&called));
        let service = service_fn(move |request| {
            seen.store(true, Ordering::Relaxed);
            let border = Arc::clone(&border);
            async move { Ok::<_, Infallible>(border.answer(request).await) }
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        let ended = async {
            let mut silent = pin!(tokio::time::sleep(self.idle));
            let mut waits = true;
            loop {
                tokio::select! {
                    ended = connection.as_mut() => return ended,
                    () = self.stop.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        return connection.as_mut().await;
                    }
                    () = silent.as_mut(), if waits => {
                        if !called.load(Ordering::Relaxed) {
                            return Ok(());
                        }
                        waits = false;
                    }
                }
            }
        };
        if let Err(error) = ended.await {
            tracing::debug!(%error, "connection ended");
        }
    }
}

/// A client that was gone before it was served is no fault of ours.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

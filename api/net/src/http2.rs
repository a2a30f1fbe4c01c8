//! HTTP/2 connections, for gRPC: each with a time for its first call, asked whether it still lives, ended gracefully.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::accept::Protocol;
use crate::tls::Tls;

/// Most bytes of the heads of a call.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Calls of one connection at the same time.
const STREAMS_MAX: u32 = 128;
/// Bytes of a call, and of a connection, that may be on their way.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// How long a client may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before its first call.
    pub idle: Duration,
    /// Before it must answer a ping.
    pub stall: Duration,
}

/// Calls over HTTP/2, each answered by `answer`, encrypted if there is a certificate.
pub struct Http2<F> {
    answer: F,
    builder: http2::Builder<TokioExecutor>,
    tls: Option<Tls>,
    idle: Duration,
}

impl<F> Http2<F> {
    /// Makes the protocol.
    pub fn new(answer: F, tls: Option<Tls>, patience: Patience) -> Self {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(patience.stall))
            .keep_alive_timeout(patience.stall)
            .max_header_list_size(HEAD_BYTES_MAX)
            .max_concurrent_streams(STREAMS_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        // Clients take HTTP/2 only when the server names it while they agree on TLS (RFC 9113, 3.3).
        Self { answer, builder, tls: tls.map(|tls| tls.speaks(b"h2")), idle: patience.idle }
    }
}

impl<F, A, B> Protocol for Http2<F>
where
    F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    async fn serve(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        let Some(tls) = &self.tls else { return self.calls(stream, stop).await };
        if let Some(stream) = tls.accept(stream, self.idle).await {
            self.calls(stream, stop).await;
        }
    }
}

impl<F, A, B> Http2<F>
where
    F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    async fn calls(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, stop: CancellationToken) {
        let called = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&called);
        let service = service_fn(move |request| {
            seen.store(true, Ordering::Relaxed);
            let answered = (self.answer)(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        let ended = async {
            let mut silent = pin!(tokio::time::sleep(self.idle));
            let mut waits = true;
            loop {
                tokio::select! {
                    ended = connection.as_mut() => return ended,
                    () = stop.cancelled() => {
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

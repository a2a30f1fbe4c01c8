//! gRPC by hand: frames, heads and statuses as they are on the wire.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::server::Server;

pub const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
pub const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
pub const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// Arguments of a server that speaks OTLP/gRPC.
pub const GRPC: [&str; 2] = ["--otlp-grpc", "127.0.0.1:0"];

/// Starts a server that speaks OTLP/gRPC.
pub fn server(arguments: &[&str]) -> Server {
    Server::start_with(&[&GRPC, arguments].concat())
}

/// The answer to a call.
#[derive(Debug)]
pub struct Called {
    pub http: u16,
    /// Code of gRPC; -1 where none came.
    pub code: i32,
    /// What the status says.
    pub message: String,
    /// Heads and trailers.
    pub headers: HeaderMap,
    /// The message without its frame.
    pub body: Vec<u8>,
}

impl Called {
    /// Asserts the code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Returns the text of a head or trailer.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A connection.
#[derive(Clone)]
pub struct Channel(http2::SendRequest<Full<Bytes>>);

impl Channel {
    pub async fn open(server: &Server) -> Self {
        let address = server.listeners["otlp_grpc"].trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("it listens");
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.expect("they agree on HTTP/2");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Calls with a body as it is.
    pub async fn call(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Called {
        let mut request = Request::builder().method(Method::POST).uri(format!("http://localhost{path}"));
        if headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let response = self.0.clone().send_request(request).await.expect("an answer");
        let (http, mut headers) = (response.status().as_u16(), response.headers().clone());
        let read = response.into_body().collect().await.expect("the answer is whole");
        headers.extend(read.trailers().cloned().unwrap_or_default());
        let framed = read.to_bytes();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let message = percent_encoding::percent_decode_str(&text("grpc-message")).decode_utf8_lossy().into_owned();
        let body = framed.get(5..).unwrap_or_default().to_vec();
        Called { http, code: text("grpc-status").parse().unwrap_or(-1), message, headers, body }
    }

    /// Exports a message that is not compressed.
    pub async fn export(&self, path: &str, message: &[u8]) -> Called {
        self.call(path, &[], framed(0, message)).await
    }
}

/// Puts flag and length before a message.
pub fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[flag], length.to_be_bytes().as_slice(), message].concat()
}

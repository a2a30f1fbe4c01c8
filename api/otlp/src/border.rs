//! The outermost layer of a call: who calls, panics, counting. Every answer passes here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Request, Response, StatusCode};
use partitura_event::{ErrorClass, Problem};
use partitura_service::otlp::{Encoding, Signal, reply};
use partitura_service::{Lobby, OtlpCall, Scope, Service};
use tonic::body::Body;
use tracing::Instrument;

use crate::answer::answer;
use crate::call::{Call, unknown};
use crate::status::status;
use crate::{health, message};

/// Answers calls.
pub struct Border {
    service: Arc<Service>,
    lobby: Lobby,
}

impl Border {
    /// Makes the border of one listener.
    pub const fn new(service: Arc<Service>, lobby: Lobby) -> Self {
        Self { service, lobby }
    }

    /// Answers one call.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        let call = Call::of(request.uri().path());
        let span = tracing::info_span!("otlp", call = call.path());
        let answered = AssertUnwindSafe(self.admit(call, request)).catch_unwind().instrument(span).await;
        let answered = answered.unwrap_or_else(|_| {
            let problem = Problem::new(ErrorClass::Internal, "the call hit a defect; the server goes on");
            Err(problem.code("panic").hint("please report what was sent"))
        });
        let http = answered.as_ref().map_or_else(|problem| problem.class.http(), |response| response.status().as_u16());
        self.service.metrics().answered("GRPC", call.path(), http, started.elapsed());
        answered.unwrap_or_else(|problem| {
            if problem.class.http() >= 500 {
                tracing::warn!(code = problem.code, detail = self.service.loggable(&problem.detail), "export failed");
            }
            status(&problem).into_http()
        })
    }

    async fn admit(&self, call: Call, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
        if !is_grpc(request.headers()) {
            return Ok(no_grpc());
        }
        match call {
            Call::Export(signal) => self.export(signal, request).await,
            Call::Health => health::check(&self.service, request).await,
            Call::Unknown => Err(unknown(request.uri().path())),
        }
    }

    async fn export(&self, signal: Signal, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
        let (head, body) = request.into_parts();
        let text = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let principal = self.lobby.admit(&self.service, text)?;
        principal.require(Scope::Ingest)?;
        let settings = self.service.settings();
        let limits = message::Limits::of(settings, settings.otlp_bytes_max);
        let message = message::read(&head.headers, body, limits, self.service.body_share()).await?;
        let call = OtlpCall { signal, encoding: Encoding::Protobuf, body: &message.bytes };
        let taken = self.service.export_otlp(&principal, call).await?;
        Ok(answer(reply::taken(signal, Encoding::Protobuf, taken.rejected, &taken.message), taken.position))
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content.split(';').next().unwrap_or_default().trim();
    matches!(essence, "application/grpc" | "application/grpc+proto")
}

/// What is no gRPC is answered in HTTP's words, as gRPC wants it.
fn no_grpc() -> Response<Body> {
    let text =
        "this port speaks OTLP over gRPC with protobuf; OTLP over HTTP is on the ports of --otlp-http and --http\n";
    let mut response = Response::new(Body::new(http_body_util::Full::from(text)));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

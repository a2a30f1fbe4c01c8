//! The outermost layer of a call: who calls, how much they send, panics, counting. Every answer passes here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use arrow_flight::flight_service_server::FlightServiceServer;
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Lobby, Service};
use tonic::body::Body;
use tonic::codegen::Service as _;
use tracing::Instrument;

use crate::credentials::Caller;
use crate::door::Door;
use crate::status::status;
use crate::upload::{Beyond, Upload};

const SERVICE: &str = "/arrow.flight.protocol.FlightService/";
/// Its methods, which are labels of metrics: what a client makes up must not become one.
const METHODS: &[&str] = &[
    "Handshake",
    "ListFlights",
    "GetFlightInfo",
    "PollFlightInfo",
    "GetSchema",
    "DoGet",
    "DoPut",
    "DoExchange",
    "DoAction",
    "ListActions",
];
/// The method whose calls are streams of batches.
const UPLOADS: &str = "DoPut";

/// Answers calls.
pub struct Border {
    service: Arc<Service>,
    lobby: Lobby,
    server: FlightServiceServer<Door>,
}

impl Border {
    /// Makes the border of one listener.
    pub fn new(service: Arc<Service>, lobby: Lobby) -> Self {
        let largest = usize::try_from(service.settings().flight_message_max).unwrap_or(usize::MAX);
        let server = FlightServiceServer::new(Door::new(Arc::clone(&service))).max_decoding_message_size(largest);
        // What is sent is bounded by the largest event, and by how batches are cut.
        let server = server.max_encoding_message_size(usize::MAX);
        Self { service, lobby, server }
    }

    /// Answers one call.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        let called = request.uri().path().strip_prefix(SERVICE).unwrap_or_default();
        let method = METHODS.iter().copied().find(|known| *known == called).unwrap_or("unknown");
        let span = tracing::info_span!("flight", method);
        let answered = AssertUnwindSafe(self.admit(request, method)).catch_unwind().instrument(span).await;
        let response = answered.unwrap_or_else(|_| {
            let problem = Problem::new(ErrorClass::Internal, "the call hit a defect; the server goes on");
            status(&problem.code("panic").hint("please report what was asked")).into_http()
        });
        let http = http_status(&response);
        self.service.metrics().answered("GRPC", &format!("{SERVICE}{method}"), http, started.elapsed());
        response
    }

    async fn admit(&self, request: Request<Incoming>, method: &str) -> Response<Body> {
        let caller = match Caller::of(&self.service, &self.lobby, request.headers()) {
            Ok(caller) => caller,
            Err(problem) => return status(&problem).into_http(),
        };
        let settings = self.service.settings();
        let (most, beyond) = match method {
            UPLOADS => (settings.flight_message_max, Beyond::Streamed),
            // As small as a question over HTTP; a statement's handle holds its text and its values once more.
            _ => (settings.event_bytes_max * 4, Beyond::Refused),
        };
        let share = self.service.body_share();
        let mut request = request.map(|body| Upload::new(body, share, most, beyond));
        request.extensions_mut().insert(caller);
        let mut server = self.server.clone();
        match server.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Returns what HTTP would have said: a refusal is in the head, a fault of a stream comes after it.
fn http_status(response: &Response<Body>) -> u16 {
    let code = response.headers().get("grpc-status").and_then(|code| code.to_str().ok()?.parse::<i32>().ok());
    match code {
        None | Some(0) => 200,
        Some(code) => {
            let class = ErrorClass::ALL.iter().find(|class| class.grpc() == code);
            class.map_or(500, |class| class.http())
        }
    }
}

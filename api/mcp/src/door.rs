//! `/mcp` of the HTTP listener: Streamable HTTP without sessions, each answer one JSON body.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use partitura_event::Problem;
use partitura_service::Service;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;

use crate::failure;
use crate::handler::Handler;
use crate::message;

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Mcp {
    protocol: StreamableHttpService<Handler, NeverSessionManager>,
}

impl Mcp {
    /// Where it stands on the HTTP listener.
    pub const PATH: &str = "/mcp";

    /// Makes it for a service.
    pub fn new(service: Arc<Service>) -> Self {
        let body_max = usize::try_from(service.settings().batch_bytes_max).unwrap_or(usize::MAX);
        // The listener has checked Host and Origin before, by its own settings.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(body_max);
        let handler = Handler::new(service);
        let protocol = StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), config);
        Self { protocol }
    }

    /// Answers one request, which carries its caller's `Principal` among its extensions.
    pub async fn answer(self, request: Request<Bytes>) -> Response<BoxBody<Bytes, Infallible>> {
        let (mut parts, body) = request.into_parts();
        // The protocol runs the call in a task of its own, outside of this request's span.
        parts.extensions.insert(tracing::Span::current());
        if parts.method == Method::POST {
            match message::arguments(&body) {
                Ok(arguments) => parts.extensions.insert(arguments),
                Err(problem) => return refusal(&problem),
            };
        }
        self.protocol.handle(Request::from_parts(parts, Full::new(body))).await
    }
}

/// A body that is no message has no id that could be answered.
fn refusal(problem: &Problem) -> Response<BoxBody<Bytes, Infallible>> {
    let body = json!({"jsonrpc": "2.0", "id": null, "error": failure::of_request(problem)});
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())).boxed());
    *response.status_mut() = StatusCode::from_u16(problem.class.http()).unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

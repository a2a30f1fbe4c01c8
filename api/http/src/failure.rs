//! Turns a `Problem` into `application/problem+json` (RFC 9457). The trace id is added at the border.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use partitura_event::Problem;
use partitura_service::members;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// How a problem looks from outside, for the description of the API; [`members`] writes it.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes what is written elsewhere")]
pub struct ProblemBody {
    /// `urn:partitura:error:` and the code.
    r#type: String,
    /// The same for every problem of its class.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened, with the names and numbers of this case.
    detail: String,
    /// A stable word for programs.
    code: String,
    /// The next step.
    hint: Option<String>,
    /// Nearest valid names, best first.
    suggestions: Option<Vec<String>>,
    /// Faults by field: `path`, `code`, `message`.
    issues: Option<Vec<Value>>,
    /// The stream's revision now, when another was expected.
    current_revision: Option<u64>,
    /// Names this request in the server's log.
    trace_id: String,
}

/// What a handler returns when it cannot answer.
#[derive(Clone, Debug)]
pub struct Failure(pub Box<Problem>);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Failure {
    /// Makes an empty response that carries the problem; [`crate::border`] writes its body.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(&self.0);
        response.extensions_mut().insert(self);
        response
    }
}

/// Returns the HTTP status of a problem.
pub fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.class.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The body of a problem that says more than its members; the trace id is added at the border.
#[derive(Clone, Debug)]
pub struct Extended(pub Map<String, Value>);

/// Fills a response with the body of a problem that says more.
pub fn render_extended(response: &mut Response, Extended(mut body): Extended, trace_id: &str) {
    body.insert("trace_id".into(), json!(trace_id));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() = Body::from(Value::Object(body).to_string());
}

/// Fills a response with the problem's body.
pub fn render(response: &mut Response, problem: &Problem, trace_id: &str) {
    let mut body = members(problem);
    body.insert("trace_id".into(), json!(trace_id));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(wait) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"partitura\", Basic realm=\"partitura\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    *response.body_mut() = Body::from(Value::Object(body).to_string());
}

//! `grpc.health.v1.Health/Check`: what load balancers and Kubernetes ask, without a key.

use hyper::body::Incoming;
use hyper::{Request, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_service::Service;
use tonic::body::Body;

use crate::answer::answer;
use crate::call::Call;
use crate::message;

/// Longest question: it holds the name of a service.
const QUESTION_BYTES_MAX: u64 = 4 << 10;
/// `HealthCheckResponse.status`.
const SERVING: u8 = 1;
const NOT_SERVING: u8 = 2;

/// Says whether exports are taken.
pub async fn check(service: &Service, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
    let (head, body) = request.into_parts();
    let limits = message::Limits::of(service.settings(), QUESTION_BYTES_MAX);
    let message = message::read(&head.headers, body, limits, service.body_share()).await?;
    let name =
        name(&message.bytes).ok_or_else(|| Problem::new(ErrorClass::Malformed, "this is no HealthCheckRequest"))?;
    if !name.is_empty() && !Call::is_service(name) {
        return Err(
            Problem::new(ErrorClass::NotFound, format!("there is no service {name:.120}")).code("unknown_service")
        );
    }
    let serves = if service.readiness().ready { SERVING } else { NOT_SERVING };
    Ok(answer(vec![1 << 3, serves], service.head()))
}

/// Reads field 1, the only one: the name of a service, shorter than a length of one byte can say.
fn name(message: &[u8]) -> Option<&str> {
    match message {
        [] => Some(""),
        [0x0A, length, name @ ..] if usize::from(*length) == name.len() && *length < 0x80 => {
            std::str::from_utf8(name).ok()
        }
        _ => None,
    }
}

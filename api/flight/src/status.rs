//! Turns a `Problem` into a gRPC status: the code of the one error table, all else in the message.

use partitura_event::{ErrorClass, Problem};
use serde_json::{Map, Value};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// Clients take heads of 8 KiB, and each byte may become three on its way.
const MESSAGE_CHARS_MAX: usize = 1_500;
/// Faults of fields that are told one by one.
const ISSUES_MAX: usize = 5;

/// Returns the status of a problem. Its stable code is in the message and in the metadatum `x-partitura-code`.
pub fn status(problem: &Problem) -> Status {
    let mut text = problem.to_string();
    for issue in problem.issues.iter().filter(|issue| issue.message != problem.detail).take(ISSUES_MAX) {
        text.push_str(&format!("; {}: {}", issue.path, issue.message));
    }
    let status = written(problem.class, problem.code, &text);
    match problem.retry_after {
        Some(wait) => with(status, "retry-after", &wait.as_secs().max(1).to_string()),
        None => status,
    }
}

/// Returns the status of a refusal that the service put into an answer, told of `what`.
pub fn status_of_members(members: &Map<String, Value>, what: &str) -> Status {
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let http = members.get("status").and_then(Value::as_u64).unwrap_or(500);
    let class = ErrorClass::ALL.iter().copied().find(|class| u64::from(class.http()) == http);
    let suggestions: Vec<_> = members.get("suggestions").and_then(Value::as_array).into_iter().flatten().collect();
    let suggestions: Vec<_> = suggestions.into_iter().filter_map(Value::as_str).collect();
    let mut message = format!("{what}{}", text("detail"));
    if !suggestions.is_empty() {
        message.push_str(&format!(" (did you mean {}?)", suggestions.join(" or ")));
    }
    if !text("hint").is_empty() {
        message.push_str(&format!("; {}", text("hint")));
    }
    written(class.unwrap_or(ErrorClass::Internal), text("code"), &message)
}

fn written(class: ErrorClass, code: &str, text: &str) -> Status {
    if class.http() >= 500 {
        tracing::warn!(code, "request failed");
    }
    let short: String = text.chars().take(MESSAGE_CHARS_MAX).collect();
    with(Status::new(Code::from_i32(class.grpc()), format!("{short} [{code}]")), "x-partitura-code", code)
}

fn with(status: Status, name: &'static str, value: &str) -> Status {
    let Ok(value) = MetadataValue::try_from(value) else { return status };
    let mut metadata = MetadataMap::clone(status.metadata());
    metadata.insert(name, value);
    Status::with_metadata(status.code(), status.message(), metadata)
}

/// Shortens the way from the service's results to gRPC's.
pub trait OrStatus<T> {
    /// Turns the problem into a status.
    fn or_status(self) -> Result<T, Status>;
}

impl<T> OrStatus<T> for Result<T, Problem> {
    fn or_status(self) -> Result<T, Status> {
        self.map_err(|problem| status(&problem))
    }
}

//! Small answers in JSON.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use partitura_event::Position;
use partitura_service::Appended;
use serde::Serialize;
use serde_json::Value;

use crate::border::AnsweredAt;
use crate::failure::{Extended, Failure};

/// What handlers return.
pub type Answer = Result<Response, Failure>;

/// Makes a JSON response with status 200.
pub fn json(value: &impl Serialize) -> Response {
    json_with(StatusCode::OK, value)
}

/// Makes a JSON response.
pub fn json_with(status: StatusCode, value: &impl Serialize) -> Response {
    json_of(status, to_bytes(value))
}

/// Writes a value as JSON.
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        b"null".to_vec()
    })
}

/// Makes the response of JSON that is written already.
pub fn json_of(status: StatusCode, text: Vec<u8>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Makes the response of an append: its results, which are a problem's body when the whole was refused.
pub fn appended(appended: Appended) -> Response {
    let status = StatusCode::from_u16(appended.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_with(status, &appended.body);
    if (status.is_client_error() || status.is_server_error())
        && let Ok(Value::Object(body)) = serde_json::to_value(&appended.body)
    {
        response.extensions_mut().insert(Extended(body));
    }
    if appended.replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    at(response, appended.position)
}

/// Says at which position a response was answered.
#[must_use]
pub fn at(mut response: Response, position: Option<Position>) -> Response {
    response.extensions_mut().insert(AnsweredAt(position));
    response
}

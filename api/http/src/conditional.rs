//! Answers that change only with the program: they carry an `ETag`, and who has them already gets 304.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::reply;

/// Answers with `value`, or with 304 when `If-None-Match` names it.
pub fn unchanging(headers: &HeaderMap, value: &impl Serialize) -> Response {
    let text = reply::to_bytes(value);
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let mut response = if is_known(headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        reply::json_of(StatusCode::OK, text)
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}

/// Returns whether `If-None-Match` names the tag: who asks has it.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    tags(headers, &header::IF_NONE_MATCH).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Returns whether `If-Match`, where it is sent, names the tag: nothing else is wanted.
pub fn is_wanted(headers: &HeaderMap, tag: &str) -> bool {
    !headers.contains_key(header::IF_MATCH)
        || tags(headers, &header::IF_MATCH).any(|known| known == "*" || known == tag)
}

/// Returns the tags that a header lists.
pub fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

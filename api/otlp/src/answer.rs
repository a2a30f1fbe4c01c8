//! The answer to a call that succeeded: one message, and a status behind it.

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response};
use partitura_event::Position;
use tonic::body::Body;

/// Position of the log after the export.
const POSITION: HeaderName = HeaderName::from_static("x-partitura-position");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Writes an answer.
pub fn answer(message: Vec<u8>, position: Option<Position>) -> Response<Body> {
    let mut framed = BytesMut::with_capacity(5 + message.len());
    // Not compressed.
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    let body = Full::<Bytes>::from(framed.freeze()).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(POSITION, HeaderValue::from(position.map_or(0, Position::get)));
    response
}

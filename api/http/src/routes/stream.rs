//! `/v1/events/stream`: server-sent events from any position, then each new one.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures::StreamExt;
use partitura_event::{Position, Problem};
use partitura_service::{After, LiveEvent, Scope, TailCall, Tailed, members};
use serde_json::{Value, json};

use super::events::{FILTER, filter};
use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_tail>(Needs(Scope::Read), get(tail))]
}

/// What a browser is told first: come back after a second when the connection breaks.
const GREETING: &[u8] = b"retry: 1000\n\n";

/// Follow the log as server-sent events.
///
/// Each event has the name `event` and its position as `id`; `Last-Event-ID` resumes after it. `caught_up` says that
/// everything up to its position was sent, `heartbeat` that the connection lives; both carry the position as `id`
/// too, so that who waits for rare events does not read again what was passed over. `error` is the last event before
/// the server ends a stream: a problem, and the `position` to resume after.
#[utoipa::path(
    get,
    path = "/v1/events/stream",
    params(
        ("stream" = Option<String>, Query, description = "Only of this stream, or of all that begin so: `task/*`"),
        ("type" = Option<String>, Query, description = "Only of these types, comma-separated; `task.*` for all that begin so"),
        ("actor" = Option<String>, Query, description = "Only by this actor"),
        ("agent_id" = Option<String>, Query, description = "Only with this agent in their data"),
        ("after_position" = Option<String>, Query, description = "Begin after this position; 0 is the beginning, `now` the end"),
        ("heartbeat_ms" = Option<u64>, Query, description = "Silence until a heartbeat, 100 to 300,000"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Resume after this position"),
    ),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = Value)),
    tag = "live"
)]
async fn tail(State(app): State<App>, Caller(principal): Caller, uri: Uri, headers: HeaderMap) -> Answer {
    let params = Params::of(&uri, &[FILTER, TAIL])?;
    let mut call = call(&params)?;
    if let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) {
        call.after = After::parse("Last-Event-ID", id.to_str().unwrap_or("?"))?;
    }
    let head = app.service.head();
    let stream = app.service.tail(&principal, call, app.stop.clone()).await?;
    let frames = stream.map(|said| Ok::<_, Infallible>(frame(said)));
    let frames = futures::stream::iter([Ok(Bytes::from_static(GREETING))]).chain(frames);
    Ok(reply::at(event_stream(Body::from_stream(frames)), head))
}

/// Parameters of a tail beside the filter.
pub(super) const TAIL: &[&str] = &["after_position", "heartbeat_ms"];

/// Reads what a tail is asked for.
pub(super) fn call(params: &Params) -> Result<TailCall, Problem> {
    let after = params.text("after_position").map(|text| After::parse("after_position", text)).transpose()?;
    let heartbeat_ms = params.parsed("heartbeat_ms", "milliseconds, a whole number")?;
    Ok(TailCall { filter: filter(params)?, after: after.unwrap_or_default(), heartbeat_ms })
}

/// Makes a response of server-sent events.
pub(super) fn event_stream(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that gather an answer before they pass it on would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn frame(said: Tailed) -> Bytes {
    let at = |position: Option<Position>| json!({"position": position.map_or(0, Position::get)});
    match said {
        Tailed::Events(events) => together(&events),
        Tailed::CaughtUp(position) => event("caught_up", position, &at(position)),
        Tailed::Heartbeat(position) => event("heartbeat", position, &at(position)),
        Tailed::Ended(problem, position) => {
            let mut told = members(&problem);
            told.insert("position".into(), json!(position.map_or(0, Position::get)));
            event("error", None, &Value::Object(told))
        }
    }
}

/// Writes events one after the other; their JSON was made once for all listeners.
fn together(events: &[Arc<LiveEvent>]) -> Bytes {
    let size = events.iter().map(|event| event.json().len() + 64).sum();
    let mut frame = Vec::with_capacity(size);
    for event in events {
        let _ = write!(frame, "id: {}\nevent: event\ndata: ", event.position());
        frame.extend_from_slice(event.json());
        frame.extend_from_slice(b"\n\n");
    }
    frame.into()
}

/// Writes one server-sent event; JSON has no line ends.
pub(super) fn event(name: &str, id: Option<Position>, data: &Value) -> Bytes {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("{id}event: {name}\ndata: {data}\n\n").into()
}

//! `/v1/events/stream`: server-sent events from any position, then each new one.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures::StreamExt;
use partitura_event::{Position, Problem};
use partitura_service::{Scope, Tailed, members};
use serde_json::{Value, json};

use super::events::filter;
use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::route::Route;
use crate::shown::ShownEvent;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_tail>(Needs(Scope::Read), get(tail))]
}

/// Follow the log as server-sent events.
///
/// Each event has the name `event` and its position as `id`; `Last-Event-ID` resumes after it. `caught_up` says that
/// everything up to its position was sent, `heartbeat` that the connection lives.
#[utoipa::path(
    get,
    path = "/v1/events/stream",
    params(
        ("stream" = Option<String>, Query, description = "Only of this stream"),
        ("type" = Option<String>, Query, description = "Only of these types, comma-separated"),
        ("after_position" = Option<u64>, Query, description = "Begin after this position; 0 is the beginning"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Resume after this position"),
    ),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = Value)),
    tag = "events"
)]
async fn tail(State(app): State<App>, Caller(principal): Caller, uri: Uri, headers: HeaderMap) -> Answer {
    let params = Params::of(&uri, &[&["stream", "type", "after_position"]])?;
    let after = match headers.get("last-event-id") {
        Some(id) => resumed(id.to_str().unwrap_or_default())?,
        None => params.position("after_position")?,
    };
    let stream = app.service.tail(&principal, filter(&params)?, after, app.stop.clone()).await?;
    let events = stream.map(|item| Ok::<_, Infallible>(sent(item)));
    Ok(reply::at(Sse::new(events).into_response(), app.service.head()))
}

fn resumed(id: &str) -> Result<Option<Position>, Problem> {
    id.trim().parse().map(Position::new).map_err(|_| {
        Problem::invalid_field("Last-Event-ID", "wrong_type", format!("`Last-Event-ID` is a position, not {id:.40}"))
    })
}

fn sent(item: Result<Tailed, Problem>) -> Event {
    let at = |position: Option<Position>| json!({"position": position.map_or(0, Position::get)}).to_string();
    match item {
        Ok(Tailed::Event(recorded)) => {
            let id = recorded.position.to_string();
            let text = serde_json::to_string(&ShownEvent::from(&*recorded)).unwrap_or_default();
            Event::default().id(id).event("event").data(text)
        }
        Ok(Tailed::CaughtUp(position)) => Event::default().event("caught_up").data(at(position)),
        Ok(Tailed::Heartbeat(position)) => Event::default().event("heartbeat").data(at(position)),
        Err(problem) => Event::default().event("error").data(Value::Object(members(&problem)).to_string()),
    }
}

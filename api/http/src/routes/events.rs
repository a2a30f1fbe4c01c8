//! `/v1/events`: append and list.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::routing::{get, post};
use partitura_event::Problem;
use partitura_service::{AppendCall, EventFilter, FilterText, Scope, ShownEvent};
use serde::Serialize;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::{Params, READ_AT};
use crate::reply::{self, Answer};
use crate::route::Route;
use crate::{cursor, request};

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_append>(Needs(Scope::Ingest), post(append)).takes(TAKES),
        Route::new::<__path_list>(Needs(Scope::Read), get(list)),
    ]
}

/// How events may be sent.
const TAKES: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/vnd.apache.arrow.stream",
];

/// Append one event or many.
///
/// Content types: application/json (an object, an array, or `{"events":[…],"checks":[…]}`), application/x-ndjson,
/// application/cloudevents+json, application/cloudevents-batch+json, CloudEvents binary mode (`ce-*` headers),
/// application/vnd.apache.arrow.stream. Bodies may be coded with gzip or zstd.
#[utoipa::path(
    post,
    path = "/v1/events",
    params(
        ("atomic" = Option<bool>, Query, description = "All or nothing"),
        ("strict" = Option<bool>, Query, description = "Refuse unknown fields of `data`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Same key and body: the stored answer"),
        ("If-Match" = Option<String>, Header, description = "Expected revision of the one stream that is written"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: the stream has no event yet"),
    ),
    request_body(content = Value, description = "Events", content_type = "application/json"),
    responses(
        (status = 201, description = "All are new", body = Value),
        (status = 200, description = "All were there already", body = Value),
        (status = 207, description = "Items have different results", body = Value),
    ),
    tag = "events"
)]
async fn append(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    let params = Params::of(&uri, &[&["atomic", "strict"]])?;
    let (head, body) = request.into_parts();
    let received = request::batch(&app, &head.headers, body).await?;
    let pairs = readable(&head.headers)?;
    let header = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let call = AppendCall {
        content_type: header("content-type"),
        headers: &pairs,
        body: &received.bytes,
        atomic: params.flag("atomic")?,
        strict: params.flag("strict")?,
        request_key: header("idempotency-key"),
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
    };
    Ok(reply::appended(app.service.append(&principal, call).await?))
}

/// Returns the headers as text. Errors name one that is not.
fn readable(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, Problem> {
    let mut pairs = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| {
            let detail = format!("the header `{name}` is not UTF-8");
            Problem::invalid_field(name.as_str(), "invalid_utf8", detail)
        })?;
        pairs.push((name.as_str(), text));
    }
    Ok(pairs)
}

/// List events of the log, by position.
#[utoipa::path(
    get,
    path = "/v1/events",
    params(
        ("stream" = Option<String>, Query, description = "Only of this stream, or of all that begin so: `task/*`"),
        ("type" = Option<String>, Query, description = "Only of these types, comma-separated; `task.*` for all that begin so"),
        ("actor" = Option<String>, Query, description = "Only by this actor"),
        ("agent_id" = Option<String>, Query, description = "Only with this agent in their data"),
        ("after_position" = Option<u64>, Query, description = "Only later ones"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<usize>, Query, description = "At most this many, up to 1,000"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "events"
)]
async fn list(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[FILTER, &["after_position", "cursor", "limit"], READ_AT])?;
    let filter = filter(&params)?;
    let after = match params.text("cursor") {
        Some(text) => Some(cursor::read(text)?),
        None => params.position("after_position")?,
    };
    let (limit, at) = (params.limit(100, 1_000)?, params.read_at()?);
    let page = app.service.events(&principal, filter, after, limit, &at).await?;
    let data = page.events.iter().map(ShownEvent::from).collect();
    let page = Page { data, next_cursor: page.next.map(cursor::write) };
    Ok(reply::at(reply::json(&page), app.service.head()))
}

#[derive(Serialize)]
struct Page<'a> {
    data: Vec<ShownEvent<'a>>,
    next_cursor: Option<String>,
}

/// Parameters that say which events.
pub(super) const FILTER: &[&str] = &["stream", "type", "actor", "agent_id"];

/// Reads [`FILTER`].
pub(super) fn filter(params: &Params) -> Result<EventFilter, Problem> {
    let text = |name| params.text(name).map(str::to_owned);
    let types = params.text("type").into_iter().flat_map(|list| list.split(','));
    EventFilter::try_from(FilterText {
        stream: text("stream"),
        types: types.map(|name| name.trim().to_owned()).collect(),
        actor: text("actor"),
        agent_id: text("agent_id"),
    })
}

//! `/v1/events/ws`: the stream of events as a WebSocket, for clients that keep one anyway.

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::routing::get;
use partitura_event::{ErrorClass, Problem};
use partitura_service::Scope;

use super::events::FILTER;
use super::stream::{TAIL, call};
use crate::app::App;
use crate::connections::Upgraded;
use crate::credentials::Access::Needs;
use crate::credentials::{Caller, SUBPROTOCOL};
use crate::origin::known_page;
use crate::query::Params;
use crate::reply::Answer;
use crate::route::Route;

mod conversation;

use conversation::Conversation;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_open>(Needs(Scope::Read), get(open))]
}

/// Largest message that a client may send: a subscription.
const MESSAGE_BYTES_MAX: usize = 16 << 10;
/// What is read and written at once.
const BUFFER_BYTES: usize = 16 << 10;
/// What may wait to be written: one take of events with its largest event.
const WAITING_BYTES_MAX: usize = 8 << 20;

/// Follow the log as a WebSocket.
///
/// Messages of the server are JSON texts with a `kind`: `event` (with `position` and the `event`), `caught_up`,
/// `heartbeat` (with `position`), and `error` (a problem, and the `position` to resume after) before the server
/// closes. With parameters the stream begins at once; without any, the first message says what is wanted:
/// `{"kind":"subscribe","after_position":0,"stream":"task/*","type":"task.*"}`. A browser, which cannot set headers,
/// offers the subprotocols `partitura.v1` and `partitura.key.<key>`.
#[utoipa::path(
    get,
    path = "/v1/events/ws",
    params(
        ("stream" = Option<String>, Query, description = "Only of this stream, or of all that begin so: `task/*`"),
        ("type" = Option<String>, Query, description = "Only of these types, comma-separated; `task.*` for all that begin so"),
        ("actor" = Option<String>, Query, description = "Only by this actor"),
        ("agent_id" = Option<String>, Query, description = "Only with this agent in their data"),
        ("after_position" = Option<String>, Query, description = "Begin after this position; 0 is the beginning, `now` the end"),
        ("heartbeat_ms" = Option<u64>, Query, description = "Silence until a heartbeat and a ping, 100 to 300,000"),
    ),
    responses((status = 101, description = "The connection is a WebSocket now")),
    tag = "live"
)]
async fn open(
    State(app): State<App>,
    Caller(principal): Caller,
    uri: Uri,
    headers: HeaderMap,
    Extension(upgraded): Extension<Upgraded>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer {
    // Browsers ask no permission for a WebSocket, so pages of unknown origins are refused on any address.
    known_page(&app.listener, &headers)?;
    let params = Params::of(&uri, &[FILTER, TAIL])?;
    let call = if uri.query().is_none_or(str::is_empty) { None } else { Some(call(&params)?) };
    let mut upgrade = upgrade.map_err(|rejection| no_upgrade(&rejection))?;
    if upgrade.requested_protocols().any(|offered| offered == SUBPROTOCOL) {
        upgrade.set_selected_protocol(HeaderValue::from_static(SUBPROTOCOL));
    }
    let upgrade = upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(WAITING_BYTES_MAX)
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX);
    // Opened before the answer, so that a refusal is a status as everywhere.
    let tail = match call {
        Some(call) => Some(Box::pin(app.service.tail(&principal, call, app.stop.clone()).await?)),
        None => None,
    };
    let hold = upgraded.hold();
    Ok(upgrade.on_upgrade(move |socket: WebSocket| async move {
        let _hold = hold;
        let pause = app.service.settings().stall_timeout;
        let conversation = Conversation { socket, pause };
        let talk = async {
            match tail {
                Some(tail) => conversation.follow(tail).await,
                None => conversation.subscribe(&app, &principal).await,
            }
        };
        tokio::select! {
            () = talk => {}
            () = upgraded.cut().cancelled_owned() => {}
        }
    }))
}

fn no_upgrade(rejection: &WebSocketUpgradeRejection) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("this path speaks WebSocket only: {rejection}"))
        .code("upgrade_needed")
        .hint("open it with a WebSocket client; /v1/events/stream has the same events as server-sent events")
}

/// A message of one line of JSON.
fn text(json: impl Into<String>) -> Message {
    Message::Text(json.into().into())
}

//! `/v1/sql/live`: a question that is answered again when its tables move.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::routing::post;
use bytes::Bytes;
use futures::StreamExt;
use partitura_event::{Position, Problem};
use partitura_service::live::query::{Live, LiveCall};
use partitura_service::{Scope, SqlCall, members};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::sql::merged;
use super::stream::{event, event_stream};
use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::{Params, READ_AT};
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_ask>(Needs(Scope::Read), post(ask))]
}

/// A question in SQL that stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LiveQuestion {
    /// One read-only statement. With `ORDER BY`, an answer that is the same is known to be.
    #[serde(alias = "q")]
    sql: String,
    /// Values of `$name`, or of `$1`, `$2`, … as an array.
    #[serde(default, alias = "parameters")]
    params: Value,
    /// Most rows, up to 10,000.
    limit: Option<usize>,
    /// Longest time of one answer, in milliseconds.
    timeout_ms: Option<u64>,
    /// The first answer waits until this position is known.
    min_position: Option<u64>,
    /// How long to wait for it.
    wait_ms: Option<u64>,
    /// IANA zone of date functions, instead of the workspace's.
    time_zone: Option<String>,
    /// Time between two answers, 100 to 3,600,000; 1,000 by default.
    min_interval_ms: Option<u64>,
    /// Silence until a heartbeat, 100 to 300,000.
    heartbeat_ms: Option<u64>,
}

/// Ask a question, and again when a table that it reads has moved; answers come as server-sent events.
///
/// `result` has `position`, `rows`, `truncated` and `took_ms`: the first one at once, another when the answer is
/// another. `heartbeat` says that the answer is still right at its position, `failed` that it could not be given this
/// time. `error` is the last event before the server ends the stream.
#[utoipa::path(
    post,
    path = "/v1/sql/live",
    params(
        ("min_position" = Option<u64>, Query, description = "The first answer waits until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "Refused: a live query is about what is now"),
    ),
    request_body = LiveQuestion,
    responses((status = 200, description = "Answers", content_type = "text/event-stream", body = Value)),
    tag = "live"
)]
async fn ask(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    let params = Params::of(&uri, &[READ_AT])?;
    let question: LiveQuestion = request::json(&app, request).await?;
    let call = SqlCall {
        sql: question.sql,
        params: question.params,
        limit: question.limit,
        timeout_ms: question.timeout_ms,
        time_zone: question.time_zone,
        at: merged(params.read_at()?, question.min_position, question.wait_ms, None)?,
        ..SqlCall::default()
    };
    let live = LiveCall { call, min_interval_ms: question.min_interval_ms, heartbeat_ms: question.heartbeat_ms };
    let answers = app.service.sql_live(&principal, live, app.stop.clone()).await?;
    let head = app.service.published();
    let frames = answers.map(|said| Ok::<_, Infallible>(frame(said)));
    Ok(reply::at(event_stream(Body::from_stream(frames)), head))
}

fn frame(said: Live) -> Bytes {
    let number = |position: Option<Position>| position.map_or(0, Position::get);
    let refused = |problem: &Problem, position| {
        let mut told = members(problem);
        told.insert("position".into(), json!(number(position)));
        Value::Object(told)
    };
    match said {
        Live::Answer(answer) => {
            let (at, truncated, took_ms) = (number(answer.position), answer.truncated, answer.took_ms);
            let rows = &answer.rows;
            format!(
                "id: {at}\nevent: result\ndata: {{\"position\":{at},\"truncated\":{truncated},\"took_ms\":{took_ms},\
                 \"rows\":{rows}}}\n\n"
            )
            .into()
        }
        Live::Heartbeat(position) => event("heartbeat", position, &json!({"position": number(position)})),
        Live::Failed(problem, position) => event("failed", None, &refused(&problem, position)),
        Live::Ended(problem, position) => event("error", None, &refused(&problem, position)),
    }
}

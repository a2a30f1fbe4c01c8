//! `/v1/sql`: ask, and cancel.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{AsOf, ReadAt, Scope, SqlCall, fields};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::{Params, READ_AT};
use crate::reply::Answer;
use crate::route::Route;
use crate::{request, rows};

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_ask>(Needs(Scope::Read), post(ask)).takes(TAKES).gives(rows::media_types()),
        Route::new::<__path_ask_v3>(Needs(Scope::Read), post(ask_v3)).takes(TAKES).gives(rows::media_types()),
        Route::new::<__path_cancel>(Needs(Scope::Read), delete(cancel)),
    ]
}

/// How a question may be sent.
const TAKES: &[&str] = &["application/json", "application/sql", "text/plain"];

/// A question in SQL.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// One read-only statement.
    #[serde(alias = "q")]
    sql: String,
    /// Values of `$name`, or of `$1`, `$2`, … as an array.
    #[serde(default, alias = "parameters")]
    params: Value,
    /// json, ndjson, csv, arrow, parquet, markdown, pretty or typed.
    format: Option<String>,
    /// Most rows.
    limit: Option<usize>,
    /// Longest time, in milliseconds.
    timeout_ms: Option<u64>,
    /// Wait until this position is known.
    min_position: Option<u64>,
    /// How long to wait for it.
    wait_ms: Option<u64>,
    /// A position, a time or `now-7d`.
    as_of: Option<Value>,
    /// Name by which it can be cancelled.
    query_id: Option<String>,
    /// IANA zone of date functions, instead of the workspace's.
    time_zone: Option<String>,
}

const PARAMS: &[&str] = &["format", "limit", "timeout_ms", "query_id"];

/// Ask one read-only statement; rows come as a stream.
#[utoipa::path(
    post,
    path = "/v1/sql",
    params(
        ("format" = Option<String>, Query, description = "json, ndjson, csv, arrow, parquet, markdown, pretty, typed"),
        ("limit" = Option<usize>, Query, description = "Most rows"),
        ("timeout_ms" = Option<u64>, Query, description = "Longest time"),
        ("query_id" = Option<String>, Query, description = "Name by which it can be cancelled"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    request_body(content = Question, description = "JSON, or the SQL itself as text"),
    responses((status = 200, description = "Rows", body = Value)),
    tag = "sql"
)]
async fn ask(state: State<App>, caller: Caller, uri: Uri, request: Request) -> Answer {
    answer(state, caller, uri, request).await
}

/// Ask as `/v1/sql` does, under the path that InfluxDB clients use.
#[utoipa::path(
    post,
    path = "/api/v3/query_sql",
    request_body(content = Question, description = "JSON, or the SQL itself as text"),
    responses((status = 200, description = "Rows", body = Value)),
    tag = "sql"
)]
async fn ask_v3(state: State<App>, caller: Caller, uri: Uri, request: Request) -> Answer {
    answer(state, caller, uri, request).await
}

async fn answer(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    let params = Params::of(&uri, &[PARAMS, READ_AT])?;
    let (head, body) = request.into_parts();
    let (body, share) = request::small(&app, &head.headers, body).await?;
    let question = read(&head.headers, &body)?;
    drop((body, share));
    let format = rows::format(&[question.format.as_deref(), params.text("format")], &head.headers)?;
    let call = SqlCall {
        sql: question.sql,
        params: question.params,
        limit: question.limit.or(params.parsed("limit", "a whole number")?),
        timeout_ms: question.timeout_ms.or(params.parsed("timeout_ms", "milliseconds")?),
        query_id: question.query_id.or_else(|| params.text("query_id").map(str::to_owned)),
        time_zone: question.time_zone,
        at: merged(params.read_at()?, question.min_position, question.wait_ms, question.as_of.as_ref())?,
        ..SqlCall::default()
    };
    let found = app.service.sql(&principal, call).await?;
    Ok(rows::answer(&app, found, format).await?)
}

/// Puts the body's fields over the query's.
pub(super) fn merged(
    at: ReadAt,
    min_position: Option<u64>,
    wait_ms: Option<u64>,
    as_of: Option<&Value>,
) -> Result<ReadAt, Problem> {
    let as_of = as_of.map(AsOf::from_json).transpose()?.flatten().or(at.as_of);
    let min_position = min_position.map_or(at.min_position, partitura_event::Position::new);
    Ok(ReadAt { min_position, wait_ms: wait_ms.or(at.wait_ms), as_of })
}

/// JSON by content type, or when the text begins like an object; else the body is the SQL.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Question, Problem> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => fields::read(body),
        // What curl and browsers say when nobody told them is not believed.
        "" | "text/plain" | "application/sql" | "text/sql" | "application/x-www-form-urlencoded" => {
            if body.trim_ascii_start().starts_with(b"{") {
                return fields::read(body);
            }
            let sql = std::str::from_utf8(body).map_err(|error| {
                let detail = format!("the SQL is not UTF-8: wrong byte at offset {}", error.valid_up_to());
                Problem::new(ErrorClass::Malformed, detail).code("invalid_utf8")
            })?;
            Ok(Question { sql: sql.to_owned(), ..Question::default() })
        }
        other => Err(Problem::new(ErrorClass::UnsupportedMedia, format!("a question is not sent as {other:.60}"))
            .hint("send application/json, or the SQL itself as text/plain or application/sql")),
    }
}

/// Cancel a running query.
#[utoipa::path(
    delete,
    path = "/v1/sql/{id}",
    params(("id" = String, Path, description = "`X-Query-Id` of its answer, or the `query_id` it was given")),
    responses((status = 204, description = "It is cancelled")),
    tag = "sql"
)]
async fn cancel(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    app.service.cancel_sql(&principal, &id)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

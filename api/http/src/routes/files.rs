//! `/v1/sql.parquet` and its like: the rows of a query as a file, for tools that can only take a URL.

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::routing::get;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{FileOf, Scope, SqlCall};

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::download::{self, FILES, Wish};
use crate::query::{Params, READ_AT};
use crate::reply::Answer;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    let of = |(ending, format): &(&str, partitura_service::Format)| {
        Route::new::<__path_file>(Needs(Scope::Read), get(file))
            .at(&format!("/v1/sql{ending}"))
            .gives([format.media_type()])
    };
    FILES.iter().map(of).collect()
}

const PARAMS: &[&str] = &["query", "params", "timeout_ms", "time_zone"];

/// Get the rows of a query as a file.
///
/// The file has `ETag`, `Content-Length` and ranges, and is the same for all ranges that one reader asks for. It has
/// no limit of rows: it is written to the server's disk first, within `downloads_bytes_max`.
#[utoipa::path(
    get,
    path = "/v1/sql.parquet",
    params(
        ("query" = String, Query, description = "One read-only statement"),
        ("params" = Option<String>, Query, description = "Values of `$name` or `$1`, as JSON"),
        ("timeout_ms" = Option<u64>, Query, description = "Longest time to write the file"),
        ("time_zone" = Option<String>, Query, description = "IANA zone of date functions"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "The file")),
    tag = "sql"
)]
async fn file(
    State(app): State<App>,
    Caller(principal): Caller,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let params = Params::of(&uri, &[PARAMS, READ_AT])?;
    let name = uri.path().rsplit('/').next().unwrap_or_default().replace("sql.", "rows.");
    let (_, format) =
        download::split(&name).ok_or_else(|| Problem::new(ErrorClass::NotFound, "there is no such file"))?;
    let sql = params.text("query").ok_or_else(|| {
        Problem::invalid_field("query", "missing", "`query` is missing: the SQL whose rows the file has")
            .hint("percent-encode it: ?query=SELECT%20*%20FROM%20tasks")
    })?;
    let call = SqlCall {
        sql: sql.to_owned(),
        params: params.parsed("params", "JSON: an object of names, or an array")?.unwrap_or_default(),
        timeout_ms: params.parsed("timeout_ms", "milliseconds")?,
        time_zone: params.text("time_zone").map(str::to_owned),
        at: params.read_at()?,
        ..SqlCall::default()
    };
    download::answer(&app, &principal, Wish::of(&method, &headers), (FileOf::Sql(call), format), &name).await
}

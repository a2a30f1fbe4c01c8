//! `/v1/tables`: what there is, and whole tables as files.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::routing::get;
use partitura_service::{FileOf, Scope};
use serde_json::{Value, json};

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::download::{self, Wish};
use crate::query::{Params, READ_AT};
use crate::reply::{self, Answer};
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_list>(Needs(Scope::Read), get(list)),
        Route::new::<__path_one>(Needs(Scope::Read), get(one)).gives(download::media_types()),
    ]
}

/// List tables and views, with what one row is.
#[utoipa::path(
    get,
    path = "/v1/tables",
    params(("limit" = Option<usize>, Query, description = "At most this many, up to 1,000")),
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "tables"
)]
async fn list(State(app): State<App>, Caller(_): Caller, uri: Uri) -> Answer {
    let params = Params::of(&uri, &[&["limit"]])?;
    let limit = params.limit(1_000, 1_000)?;
    let tables = app.service.tables().await?;
    let short = |table: &partitura_service::TableDescription| {
        json!({"name": table.name, "kind": table.kind, "grain": table.grain, "key": table.key,
        "changes": table.changes})
    };
    let data: Vec<Value> = tables.iter().take(limit).map(short).collect();
    Ok(reply::json(&json!({"data": data, "next_cursor": null})))
}

/// Describe a table, or download it.
///
/// `{name}` gives grain, keys, safe joins and columns; `{name}.parquet`, `.arrow`, `.csv` and `.ndjson` give its rows
/// as a file, with `ETag`, `Content-Length` and ranges, so that readers of Parquet take the URL for a file.
#[utoipa::path(
    get,
    path = "/v1/tables/{name}",
    params(
        ("name" = String, Path, description = "A table's name, with an ending for its rows"),
        ("min_position" = Option<u64>, Query, description = "Wait until this position is known"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it"),
        ("as_of" = Option<String>, Query, description = "A position, a time or `now-7d`"),
    ),
    responses((status = 200, description = "The description, or the file", body = Value)),
    tag = "tables"
)]
async fn one(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let params = Params::of(&uri, &[READ_AT])?;
    let Some((table, format)) = download::split(&name) else {
        return Ok(reply::json(&app.service.table(&name).await?));
    };
    let file = FileOf::Table(table.to_owned(), params.read_at()?);
    download::answer(&app, &principal, Wish::of(&method, &headers), (file, format), &name).await
}

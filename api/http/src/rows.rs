//! Answers rows in the format that was asked for, streamed; short answers are whole before they are sent.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Format, SqlAnswer, SqlStats, encode, pumped};

use crate::app::App;
use crate::border::{AnsweredAt, Timing};

/// Bytes that are looked at before the status is sent: an error within them is a proper problem.
const AHEAD: usize = 64 << 10;

/// Header that names a query, to cancel it.
pub const QUERY_ID: HeaderName = HeaderName::from_static("x-query-id");

/// Header that says that a limit cut the rows; long answers say it in the typed format only.
const TRUNCATED: HeaderName = HeaderName::from_static("x-partitura-truncated");

/// Chooses the format: the field of the body, `?format=`, else `Accept`, else JSON.
pub fn format(named: &[Option<&str>], headers: &HeaderMap) -> Result<Format, Problem> {
    if let Some(name) = named.iter().copied().flatten().next() {
        return Format::parse(name);
    }
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else {
        return Ok(Format::Json);
    };
    let mut wanted: Vec<(f32, &str)> = accept.split(',').map(weighted).filter(|(q, _)| *q > 0.0).collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let fits = |media: &str| match media {
        "*/*" | "application/*" => Some(Format::Json),
        "text/*" => Some(Format::Csv),
        _ => Format::from_media_type(media),
    };
    wanted.iter().find_map(|(_, media)| fits(media)).ok_or_else(|| {
        let names: Vec<_> = Format::names().collect();
        let mut problem = Problem::new(ErrorClass::NotAcceptable, format!("rows are not written as {accept:.100}"))
            .hint(format!("name a format: {}", names.join(", ")));
        problem.suggestions = names.into_iter().map(str::to_owned).collect();
        problem
    })
}

/// Returns the media types in which rows are answered.
pub fn media_types() -> impl Iterator<Item = &'static str> {
    Format::names().filter_map(|name| Format::parse(name).ok()).map(Format::media_type)
}

fn weighted(part: &str) -> (f32, &str) {
    let mut pieces = part.split(';').map(str::trim);
    let media = pieces.next().unwrap_or_default();
    let q = pieces.find_map(|piece| piece.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
    (q, media)
}

/// Makes the response of a query.
pub async fn answer(app: &App, answer: SqlAnswer, format: Format) -> Result<Response, Problem> {
    let SqlAnswer { stream, query_id, hold } = answer;
    let (position, stats) = (stream.position(), stream.stats());
    let mut chunks = Box::pin(encode(stream, format));
    let (mut ahead, mut size, mut ended) = (Vec::<Bytes>::new(), 0, false);
    while size < AHEAD && !ended {
        match chunks.next().await {
            Some(chunk) => {
                let chunk = chunk?;
                size += chunk.len();
                ahead.push(chunk);
            }
            None => ended = true,
        }
    }
    let body = if ended {
        Body::from(ahead.concat())
    } else {
        let rest = futures::stream::iter(ahead.into_iter().map(Ok)).chain(chunks);
        Body::from_stream(pumped(rest, hold, app.service.settings().stall_timeout))
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(id) = HeaderValue::from_str(&query_id) {
        headers.insert(QUERY_ID, id);
    }
    if ended && stats.get().truncated {
        headers.insert(TRUNCATED, HeaderValue::from_static("true"));
    }
    response.extensions_mut().insert(AnsweredAt(position));
    response.extensions_mut().insert(Timing(timing(&stats.get(), ended)));
    Ok(response)
}

fn timing(stats: &SqlStats, ended: bool) -> String {
    let plan = stats.planning_us as f64 / 1e3;
    if !ended {
        return format!("plan;dur={plan:.3}");
    }
    format!(
        "plan;dur={plan:.3}, query;dur={:.3}, rows;desc=\"{}\", scanned;desc=\"{} rows {} bytes\"",
        stats.elapsed_us as f64 / 1e3,
        stats.rows,
        stats.rows_scanned,
        stats.bytes_scanned
    )
}

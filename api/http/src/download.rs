//! Answers with a file of rows: whole, by range, or not at all when the reader has it (RFC 9110, 13 and 14).

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{DownloadCall, FileOf, Format, KeptFile, Principal, Turn, pumped};

use crate::app::App;
use crate::border::AnsweredAt;
use crate::conditional::{is_known, is_wanted, tags};
use crate::failure::Failure;
use crate::range::{Part, Ranged};
use crate::reply::Answer;

/// Endings of paths that ask for rows as a file.
pub const FILES: &[(&str, Format)] =
    &[(".parquet", Format::Parquet), (".arrow", Format::Arrow), (".csv", Format::Csv), (".ndjson", Format::Ndjson)];

/// Returns the media types of files.
pub fn media_types() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(_, format)| format.media_type())
}

/// Splits the name of a file from its ending.
pub fn split(name: &str) -> Option<(&str, Format)> {
    FILES.iter().find_map(|(ending, format)| Some((name.strip_suffix(ending)?, *format)))
}

/// What the headers say of a request for a file.
pub struct Wish<'a> {
    headers: &'a HeaderMap,
    head: bool,
    ranged: Ranged,
}

impl<'a> Wish<'a> {
    /// Reads method and headers.
    pub fn of(method: &Method, headers: &'a HeaderMap) -> Self {
        let ranged =
            headers.get(header::RANGE).and_then(|value| value.to_str().ok()).map_or(Ranged::Whole, Ranged::read);
        Self { headers, head: method == Method::HEAD, ranged }
    }

    /// Returns the call for the file.
    pub fn call(&self, of: FileOf, format: Format) -> DownloadCall {
        let turn = match self.ranged {
            _ if self.head => Turn::Begins,
            Ranged::Whole => Turn::Whole,
            // Who does not know the length yet asks for the end of the file, where Parquet says what is where.
            Ranged::Part(Part::Last(_)) => Turn::Begins,
            Ranged::Part(_) => Turn::GoesOn,
        };
        let reader = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = [header::IF_MATCH, header::IF_RANGE];
        let tags = wanted.iter().flat_map(|name| tags(self.headers, name)).map(str::to_owned).collect();
        DownloadCall { of, format, reader: reader.to_owned(), turn, tags }
    }

    /// Returns which part of a file is answered, and with which status.
    fn answer(&self, file: &KeptFile) -> Result<(StatusCode, Range<u64>), Problem> {
        if !is_wanted(self.headers, file.tag()) {
            let detail = "the file is another one now: its rows have changed, and the one before is kept no more";
            return Err(Problem::new(ErrorClass::FileChanged, detail)
                .hint("read it again from its beginning; `as_of` in the URL keeps it at one position"));
        }
        if is_known(self.headers, file.tag()) {
            return Ok((StatusCode::NOT_MODIFIED, 0..0));
        }
        // A date is no proof that bytes are the same, so only a tag continues a transfer.
        let continues = self.headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == file.tag().as_bytes());
        match &self.ranged {
            Ranged::Part(part) if continues && !self.head => {
                let part = part.within(file.len()).ok_or_else(|| unsatisfiable(file))?;
                Ok((StatusCode::PARTIAL_CONTENT, part))
            }
            _ => Ok((StatusCode::OK, 0..file.len())),
        }
    }
}

/// The part that was asked for is not in the file. Its length goes into `Content-Range`.
fn unsatisfiable(file: &KeptFile) -> Problem {
    let detail = format!("the range is not in the file, which has {} bytes", file.len());
    Problem::new(ErrorClass::RangeNotSatisfiable, detail).hint("HEAD tells the length; `bytes=-8` asks for the last 8")
}

/// Answers a request for a file.
pub async fn answer(
    app: &App,
    principal: &Principal,
    wish: Wish<'_>,
    (of, format): (FileOf, Format),
    name: &str,
) -> Answer {
    let file = app.service.download(principal, wish.call(of, format)).await?;
    let (status, part) = match wish.answer(&file) {
        Ok(found) => found,
        Err(problem) => return Ok(refused(problem, &file)),
    };
    let body = if wish.head || part.is_empty() {
        Body::empty()
    } else {
        let pieces = file.read(part.clone()).await?;
        Body::from_stream(pumped(pieces, Arc::clone(&file), app.service.settings().stall_timeout))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    describe(response.headers_mut(), &file);
    let headers = response.headers_mut();
    if status != StatusCode::NOT_MODIFIED {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        put(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        put(headers, header::CONTENT_RANGE, &format!("bytes {}-{}/{}", part.start, part.end - 1, file.len()));
    }
    response.extensions_mut().insert(AnsweredAt(file.position()));
    Ok(response)
}

fn refused(problem: Problem, file: &KeptFile) -> Response {
    let mut response = Failure::from(problem).into_response();
    describe(response.headers_mut(), file);
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        put(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", file.len()));
    }
    response
}

/// What is true of the file whatever part of it is answered.
fn describe(headers: &mut HeaderMap, file: &KeptFile) {
    put(headers, header::ETAG, file.tag());
    put(headers, header::LAST_MODIFIED, &file.last_modified());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Rows are of one key's workspace, and another position may be asked for at any time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("authorization, x-api-key, x-partitura-workspace"));
}

fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

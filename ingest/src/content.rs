//! Content types: what a body claims to be.

use partitura_event::{ErrorClass, Problem};

/// What a body of `POST /v1/events` can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// One event, an array of events, or `{"events":[…],"checks":[…]}`.
    Json,
    /// One event per line.
    Ndjson,
    /// One CloudEvent in structured mode.
    CloudEvent,
    /// An array of CloudEvents.
    CloudEventBatch,
    /// CloudEvents binary mode: attributes in `ce-*` headers, the body is the data.
    CloudEventBinary,
    /// An Arrow IPC stream, one event per row.
    ArrowStream,
}

/// The supported list, as 415 answers give it.
pub const SUPPORTED: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/vnd.apache.arrow.stream",
];

impl ContentType {
    /// Reads the `Content-Type` header. `binary` says whether a `ce-specversion` or `ce-type` header is
    /// there, which makes it CloudEvents binary mode. No header at all is taken as JSON.
    pub fn parse(header: Option<&str>, binary: bool) -> Result<Self, Problem> {
        let header = header.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("application/json");
        let essence = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        check_charset(header)?;
        match essence.as_str() {
            "application/cloudevents+json" => Ok(Self::CloudEvent),
            "application/cloudevents-batch+json" => Ok(Self::CloudEventBatch),
            json if binary && (json == "application/json" || json.ends_with("+json")) => Ok(Self::CloudEventBinary),
            "application/json" | "text/json" => Ok(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
                Ok(Self::Ndjson)
            }
            "application/vnd.apache.arrow.stream" => Ok(Self::ArrowStream),
            other => Err(unsupported(other)),
        }
    }
}

fn check_charset(header: &str) -> Result<(), Problem> {
    let charset = header.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    match charset.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii") => Ok(()),
        Some(other) => {
            let detail = format!("the charset {other:.40} is not supported");
            Err(Problem::new(ErrorClass::UnsupportedMedia, detail).hint("send UTF-8"))
        }
    }
}

fn unsupported(given: &str) -> Problem {
    let detail = format!("the content type {given:.80} is not supported for events");
    let mut problem = Problem::new(ErrorClass::UnsupportedMedia, detail);
    problem.suggestions = SUPPORTED.iter().map(|name| (*name).to_owned()).collect();
    problem.hint(format!("send one of {}; or ce-* headers with a JSON body", SUPPORTED.join(", ")))
}

//! The spans, log events and metrics of one record, as they are in the log.

use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::any::{Any, Attributes};
use super::metric::ResourceMetrics;

/// Part of an export request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Record {
    /// Spans by resource.
    pub resource_spans: Vec<ResourceSpans>,
    /// Log events by resource.
    pub resource_logs: Vec<ResourceLogs>,
    /// Metrics by resource.
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// What emitted: a service, a process.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// What is known of it.
    pub attributes: Attributes,
}

/// The library that emitted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Spans of one resource.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceSpans {
    /// The resource.
    pub resource: Resource,
    /// Spans by library.
    pub scope_spans: Vec<ScopeSpans>,
}

/// Spans of one library.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScopeSpans {
    /// The library.
    pub scope: Scope,
    /// Its spans.
    pub spans: Vec<Span>,
}

/// Log events of one resource.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceLogs {
    /// The resource.
    pub resource: Resource,
    /// Log events by library.
    pub scope_logs: Vec<ScopeLogs>,
}

/// Log events of one library.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeLogs {
    /// The library.
    pub scope: Scope,
    /// Its events.
    pub log_records: Vec<LogRecord>,
}

/// One operation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits, or empty.
    pub parent_span_id: String,
    /// Its name.
    pub name: String,
    /// When it began.
    pub start_time_unix_nano: Nanos,
    /// When it ended.
    pub end_time_unix_nano: Nanos,
    /// What is known of it.
    pub attributes: Attributes,
    /// Attributes that the exporter left out.
    pub dropped_attributes_count: u64,
    /// What happened meanwhile.
    pub events: Vec<SpanEvent>,
    /// Events that the exporter left out.
    pub dropped_events_count: u64,
    /// Links that the exporter left out.
    pub dropped_links_count: u64,
    /// How it ended.
    pub status: Status,
}

/// Something that happened during a span.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SpanEvent {
    /// Its name.
    pub name: String,
    /// When.
    pub time_unix_nano: Nanos,
    /// What is known of it.
    pub attributes: Attributes,
}

/// How a span ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    /// 2 is an error.
    pub code: i64,
    /// What went wrong.
    pub message: String,
}

/// One log record.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogRecord {
    /// When it happened.
    pub time_unix_nano: Nanos,
    /// When it was seen.
    pub observed_time_unix_nano: Nanos,
    /// 17 and more are errors.
    pub severity_number: i64,
    /// Text, or structured.
    pub body: Any,
    /// What is known of it.
    pub attributes: Attributes,
    /// Attributes that the exporter left out.
    pub dropped_attributes_count: u64,
    /// Of the span during which it was written, or empty.
    pub trace_id: String,
    /// Of the span during which it was written, or empty.
    pub span_id: String,
    /// Name of the event; empty for plain log lines.
    pub event_name: String,
}

/// Nanoseconds since 1970; 0 is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Returns microseconds within the range of times, or nothing for 0.
    pub fn micros(self) -> Option<i64> {
        let micros = i64::try_from(self.0 / 1_000).unwrap_or(i64::MAX);
        (self.0 > 0).then(|| partitura_event::Timestamp::clamped(micros).micros())
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        Ok(Self(number.unwrap_or_default()))
    }
}

/// Reads the member `above` of a record: the spans above its own.
pub fn read_above(raw: &RawValue) -> Result<Vec<Span>, Problem> {
    serde_json::from_str(raw.get()).map_err(|error| {
        Problem::new(ErrorClass::Invalid, format!("`above` is no list of spans in OTLP/JSON: {error}"))
            .code("otlp_unreadable")
    })
}

impl Record {
    /// Reads the member `otlp` of a record.
    pub fn read(raw: &RawValue) -> Result<Self, Problem> {
        serde_json::from_str(raw.get()).map_err(|error| {
            Problem::new(ErrorClass::Invalid, format!("`otlp` is no request in OTLP/JSON: {error}"))
                .code("otlp_unreadable")
        })
    }
}

//! OTLP: what OpenTelemetry exporters send → raw records, events of the kinds `otlp.traces`, `otlp.logs` and
//! `otlp.metrics`.
//!
//! One table ([`schema`]) says what the messages are. From it come both readers ([`protobuf`], [`json`]), so
//! that a request has the same canonical form however it is encoded, and with it the same hash. A request is
//! walked span by span ([`request`]): each is checked, loses its secrets ([`redaction`]), and becomes a record
//! ([`batch`]). Nothing is interpreted here; that is a projection's work.
//!
//! **Lossless.** Whatever the table knows is kept, also what no translator reads. An item that is larger than a
//! record is in it shortened, and whole in records of its own.

pub mod reply;

mod batch;
mod json;
mod protobuf;
mod redaction;
mod request;
mod schema;
mod shorten;

use std::collections::BTreeMap;

use partitura_event::{Draft, ErrorClass, Problem};

use crate::context::Context;
use crate::redact::Redactions;
use schema::Message;

/// Most bytes of a record's data.
pub const RECORD_BYTES: usize = 1_000_000;
/// Most items of one request.
pub const ITEMS_MAX: usize = 200_000;

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Metrics.
    Metrics,
}

/// How a request and its answer are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Signal {
    /// All signals.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    /// Returns the kind of its records.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Traces => "otlp.traces",
            Self::Logs => "otlp.logs",
            Self::Metrics => "otlp.metrics",
        }
    }

    /// Returns the route that takes it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
            Self::Metrics => "/v1/metrics",
        }
    }

    /// Returns the names of its lists: of resources, of scopes, of items.
    const fn names(self) -> [&'static str; 3] {
        match self {
            Self::Traces => ["resourceSpans", "scopeSpans", "spans"],
            Self::Logs => ["resourceLogs", "scopeLogs", "logRecords"],
            Self::Metrics => ["resourceMetrics", "scopeMetrics", "metrics"],
        }
    }

    const fn item(self) -> &'static Message {
        match self {
            Self::Traces => &schema::SPAN,
            Self::Logs => &schema::LOG_RECORD,
            Self::Metrics => &schema::METRIC,
        }
    }

    /// Returns what its items are called in messages.
    pub const fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Logs => "log records",
            Self::Metrics => "metrics",
        }
    }
}

impl Encoding {
    /// Reads `Content-Type`. Errors name the supported ones.
    pub fn parse(header: Option<&str>) -> Result<Self, Problem> {
        let essence = header.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-protobuf" | "application/protobuf" => Ok(Self::Protobuf),
            "application/json" => Ok(Self::Json),
            other => {
                let detail = format!("the content type {other:.80?} is not supported for OTLP");
                let mut problem = Problem::new(ErrorClass::UnsupportedMedia, detail)
                    .hint("send application/x-protobuf or application/json");
                problem.suggestions = [Self::Protobuf, Self::Json].map(|known| known.media().to_owned()).to_vec();
                Err(problem)
            }
        }
    }

    /// Returns the media type.
    pub const fn media(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// A request, checked and split.
#[derive(Debug, Default)]
pub struct Export {
    /// The records, for one atomic append.
    pub drafts: Vec<Draft>,
    /// Items in the request.
    pub items: u64,
    /// Of these, refused for good, by source and reason.
    pub rejected: BTreeMap<(String, &'static str), u64>,
    /// What was taken out, by source and rule.
    pub redactions: BTreeMap<String, Redactions>,
}

impl Export {
    /// Returns how many items were refused.
    pub fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    fn reject(&mut self, source: &str, reason: &'static str, items: u64) {
        *self.rejected.entry((source.to_owned(), reason)).or_default() += items;
    }

    fn redact(&mut self, source: &str, found: Redactions) {
        if found.is_empty() {
            return;
        }
        let known = self.redactions.entry(source.to_owned()).or_default();
        for (rule, count) in found {
            *known.entry(rule).or_default() += count;
        }
    }

    /// Says what was refused and why; empty if nothing was.
    pub fn message(&self, signal: Signal) -> String {
        let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
        for ((_, reason), count) in &self.rejected {
            *by_reason.entry(reason).or_default() += count;
        }
        let reasons: Vec<_> = by_reason.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        match reasons.is_empty() {
            true => String::new(),
            false => {
                format!("{} of {} {} refused: {}", self.rejected(), self.items, signal.items(), reasons.join(", "))
            }
        }
    }
}

/// Checks and splits a request. Errors if it cannot be read as a whole, or if none of its items can be taken;
/// of items that cannot be taken among others, [`Export`] tells.
pub fn decode(signal: Signal, encoding: Encoding, body: &[u8], context: &Context<'_>) -> Result<Export, Problem> {
    let groups = request::split(signal, encoding, body)?;
    let export = batch::pack(signal, groups, context)?;
    if export.items > 0 && export.rejected() == export.items {
        let problem = Problem::new(ErrorClass::Malformed, export.message(signal)).code("otlp_nothing_usable");
        let others = Signal::ALL.iter().filter(|other| **other != signal).map(|other| other.path());
        let others = others.collect::<Vec<_>>().join(" or ");
        return Err(problem.hint(format!("is it {}? other signals go to {others}", signal.items())));
    }
    Ok(export)
}

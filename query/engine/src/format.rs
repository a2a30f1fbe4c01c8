//! Answers as bytes: one encoder per format, fed batch by batch.
//!
//! Rules shared by the text formats: instants are RFC 3339 in UTC, decimals are written exactly (in JSON
//! as strings), integers are written in full (also beyond 2^53, where some readers round), NaN and
//! infinities are `null` in JSON, bytes are base64. A column that appears twice is named `x`, `x_2`.
//!
//! An error after the first bytes ends the stream as an error: the client's transfer fails, so half an
//! answer never looks like a whole one.

mod arrow;
mod cell;
mod csv;
mod json;
mod parquet;
mod table;
mod typed;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use futures::{Stream, StreamExt};
use partitura_event::{ErrorClass, Problem};

use crate::stream::{SqlStats, SqlStream};

/// A format of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One array of objects.
    Json,
    /// One object per line.
    Ndjson,
    /// RFC 4180 with a header line.
    Csv,
    /// Arrow IPC stream.
    Arrow,
    /// One Parquet file, zstd.
    Parquet,
    /// A Markdown table.
    Markdown,
    /// A table for terminals.
    Pretty,
    /// `{schema, data, row_count, truncated, stats}`.
    Typed,
}

/// Name, other name, media type.
const FORMATS: &[(Format, &str, &str, &str)] = &[
    (Format::Json, "json", "array", "application/json"),
    (Format::Ndjson, "ndjson", "jsonl", "application/x-ndjson"),
    (Format::Csv, "csv", "text/csv", "text/csv; charset=utf-8"),
    (Format::Arrow, "arrow", "ipc", "application/vnd.apache.arrow.stream"),
    (Format::Parquet, "parquet", "pq", "application/vnd.apache.parquet"),
    (Format::Markdown, "markdown", "md", "text/markdown; charset=utf-8"),
    (Format::Pretty, "pretty", "table", "text/plain; charset=utf-8"),
    (Format::Typed, "typed", "typed_json", "application/vnd.partitura.sql.v1+json"),
];

impl Format {
    /// Reads the value of a `format` field. Errors with the supported names.
    pub fn parse(name: &str) -> Result<Self, Problem> {
        let wanted = name.trim().to_ascii_lowercase();
        let found = FORMATS.iter().find(|(_, name, other, _)| *name == wanted || *other == wanted);
        found.map(|(format, ..)| *format).ok_or_else(|| {
            Problem::new(ErrorClass::NotAcceptable, format!("there is no format `{name}`"))
                .suggest(name, FORMATS.iter().map(|(_, name, ..)| *name))
                .hint(format!("there are {}", Self::names().collect::<Vec<_>>().join(", ")))
        })
    }

    /// Reads one media type of an `Accept` header, without parameters.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let wanted = media_type.split(';').next()?.trim().to_ascii_lowercase();
        match wanted.as_str() {
            "application/jsonl" | "application/jsonlines" => return Some(Self::Ndjson),
            "application/parquet" => return Some(Self::Parquet),
            _ => {}
        }
        FORMATS.iter().find(|(.., known)| known.split(';').next() == Some(wanted.as_str())).map(|(format, ..)| *format)
    }

    /// Returns the names of all formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|(_, name, ..)| *name)
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns the media type of answers.
    pub fn media_type(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        // The table has a row for each variant; a test goes through them.
        FORMATS.iter().find(|(format, ..)| *format == self).unwrap_or(&FORMATS[0])
    }

    /// Returns a fresh encoder.
    pub fn encoder(self) -> Box<dyn Encoder> {
        self.encoder_of(None)
    }

    /// Returns a fresh encoder. In Parquet, a row group has no more rows than these.
    pub fn encoder_of(self, row_group_rows: Option<usize>) -> Box<dyn Encoder> {
        match self {
            Self::Json => Box::new(json::JsonArray::default()),
            Self::Ndjson => Box::new(json::JsonLines::default()),
            Self::Csv => Box::new(csv::Csv),
            Self::Arrow => Box::new(arrow::ArrowStream::default()),
            Self::Parquet => Box::new(parquet::Parquet::new(row_group_rows)),
            Self::Markdown => Box::new(table::TextTable::markdown()),
            Self::Pretty => Box::new(table::TextTable::pretty()),
            Self::Typed => Box::new(typed::Typed::default()),
        }
    }
}

/// Writes an answer: once `begin`, any number of `batch`, once `end`. What is written is appended to
/// `out`; an encoder may keep bytes back until the end.
pub trait Encoder: Send {
    /// Writes what comes before the rows.
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<(), ArrowError>;

    /// Writes rows.
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError>;

    /// Writes what comes after the rows.
    fn end(&mut self, stats: &SqlStats, out: &mut Vec<u8>) -> Result<(), ArrowError>;
}

/// Encodes an answer while it comes. After an error the stream ends.
pub fn encode(stream: SqlStream, format: Format) -> impl Stream<Item = Result<Bytes, Problem>> + Send {
    let state = Encoding { encoder: format.encoder(), stream, step: Step::Begin };
    futures::stream::unfold(state, |mut state| async move {
        loop {
            let mut out = Vec::new();
            match state.advance(&mut out).await {
                Ok(false) if out.is_empty() => return None,
                Ok(_) if out.is_empty() => {}
                Ok(_) => return Some((Ok(Bytes::from(out)), state)),
                Err(problem) => {
                    state.step = Step::Done;
                    return Some((Err(problem), state));
                }
            }
        }
    })
}

enum Step {
    Begin,
    Rows,
    Done,
}

struct Encoding {
    encoder: Box<dyn Encoder>,
    stream: SqlStream,
    step: Step,
}

impl Encoding {
    /// Does one step; `false` when there is none left.
    async fn advance(&mut self, out: &mut Vec<u8>) -> Result<bool, Problem> {
        match self.step {
            Step::Begin => {
                self.step = Step::Rows;
                let schema = self.stream.schema().clone();
                self.encoder.begin(&schema, out).map_err(failed)?;
            }
            Step::Rows => match self.stream.next().await {
                Some(batch) => self.encoder.batch(&batch?, out).map_err(failed)?,
                None => {
                    self.step = Step::Done;
                    self.encoder.end(&self.stream.stats().get(), out).map_err(failed)?;
                }
            },
            Step::Done => return Ok(false),
        }
        Ok(true)
    }
}

fn failed(error: ArrowError) -> Problem {
    crate::failure::problem(error.into())
}

//! Arrow IPC streams: one event per row, columns named as the fields of an event.
//!
//! Each row is written as JSON and then read as everybody's events are, so that no rule lives twice.
//! `data` may be a struct, or text that holds a JSON object.

mod frame;
mod split;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use partitura_event::problem::nearest;
use partitura_event::{ErrorClass, Problem, Timestamp};

pub use split::{batches, split};

use super::Collector;
use crate::context::{Context, Decoded, Rejected};
use crate::envelope::{Form, Shared};
use crate::json;
use crate::limits::Limits;

/// Columns that make an event.
const COLUMNS: &[&str] = &[
    "type",
    "source",
    "id",
    "time",
    "subject",
    "stream",
    "actor",
    "causation",
    "correlation",
    "traceparent",
    "expected_revision",
    "data",
];

pub(super) fn decode(body: &[u8], context: &Context<'_>) -> Result<Decoded, Problem> {
    if body.is_empty() {
        let problem = Problem::new(ErrorClass::Malformed, "the body is empty; it must hold an Arrow IPC stream");
        return Err(problem.code("empty_body"));
    }
    frame::check(body, context.limits.batch_bytes)?;
    let mut reader = guarded(|| StreamReader::try_new(Cursor::new(body), None))?;
    check_columns(&reader.schema(), context)?;
    let mut rows = Rows { decoded: Decoded::default(), shared: Shared::default(), bytes: 0, context };
    while let Some(batch) = guarded(|| reader.next().transpose())? {
        rows.batch(&batch)?;
    }
    if rows.decoded.items.is_empty() {
        return Err(Problem::new(ErrorClass::Invalid, "the Arrow stream holds no row").code("no_events"));
    }
    Ok(Decoded { redactions: rows.shared.found, ..rows.decoded })
}

/// Runs a step of the reader. It panics on some damaged schemas (a field without its type), which is
/// as much the sender's fault as the damage that it reports.
fn guarded<T>(step: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, Problem> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(malformed(&error)),
        Err(_) => Err(malformed(&"its schema or a batch is damaged")),
    }
}

fn malformed(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("the body is not an Arrow IPC stream: {error:.200}"))
        .code("arrow_stream")
}

fn check_columns(schema: &Schema, context: &Context<'_>) -> Result<(), Problem> {
    for field in schema.fields() {
        let name = field.name();
        if !COLUMNS.contains(&name.as_str()) {
            let shown = context.redactor.shown(&name.chars().take(80).collect::<String>());
            let detail = format!("the column `{shown}` is no field of an event; put your own columns into `data`");
            let near = nearest(name, COLUMNS.iter().copied(), 1);
            let problem = Problem::invalid_field(&shown, "unknown_field", detail);
            return Err(Problem { suggestions: near, ..problem });
        }
        if schema.fields().iter().filter(|other| other.name() == name).count() > 1 {
            return Err(Problem::invalid_field(name, "duplicate_key", format!("the column `{name}` stands twice")));
        }
    }
    Ok(())
}

struct Rows<'c> {
    decoded: Decoded,
    shared: Shared,
    /// Bytes of JSON written so far: dictionaries may repeat a large value in every row.
    bytes: usize,
    context: &'c Context<'c>,
}

impl Rows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let options = EncoderOptions::default();
        let schema = batch.schema();
        let arrays: Vec<(FieldRef, ArrayRef)> =
            schema.fields().iter().cloned().zip(batch.columns().iter().cloned()).collect();
        let mut columns = Vec::new();
        for (field, array) in &arrays {
            let encoder = make_encoder(field, array, &options).map_err(|error| {
                let detail =
                    format!("the column `{}` of type {} cannot be read: {error}", field.name(), array.data_type());
                Problem::invalid_field(field.name(), "column_type", detail)
            })?;
            columns.push(Column { name: field.name(), array, encoder });
        }
        for row in 0..batch.num_rows() {
            self.row(&mut columns, row)?;
        }
        Ok(())
    }

    fn row(&mut self, columns: &mut [Column<'_>], row: usize) -> Result<(), Problem> {
        let n = self.decoded.items.len();
        let limits = &self.context.limits;
        if n >= limits.events {
            let detail = format!("more than {} events in one request", limits.events);
            return Err(Problem::new(ErrorClass::TooLarge, detail).code("too_many_events"));
        }
        let path = format!("events[{n}]");
        let text = match write_row(columns, row, limits) {
            Ok(text) => text,
            Err(problem) => {
                let problem = super::clean(problem, self.context);
                self.decoded.items.push(Err(Rejected { id: None, problem }));
                return Ok(());
            }
        };
        self.bytes += text.len();
        if self.bytes > limits.batch_bytes {
            let detail = format!("the rows hold more than {} bytes of events", limits.batch_bytes);
            return Err(Problem::new(ErrorClass::TooLarge, detail).hint("send the events in several requests"));
        }
        let mut cursor = json::Cursor::new(&text);
        let sound = cursor.skip_value().and_then(|_| cursor.end());
        match sound {
            Ok(()) => {
                let shared = std::mem::take(&mut self.shared);
                let mut one = Collector { shared, ..Collector::new(&text, self.context) };
                one.event(&text, Form::Plain, &path)?;
                self.decoded.items.append(&mut one.decoded.items);
                self.shared = one.shared;
            }
            Err(fault) => {
                let problem = super::clean(fault.problem(&text, 0, &path), self.context);
                self.decoded.items.push(Err(Rejected { id: None, problem }));
            }
        }
        Ok(())
    }
}

struct Column<'a> {
    name: &'a str,
    array: &'a ArrayRef,
    encoder: NullableEncoder<'a>,
}

fn write_row(columns: &mut [Column<'_>], row: usize, limits: &Limits) -> Result<String, Problem> {
    let mut out = vec![b'{'];
    for column in columns.iter_mut() {
        if column.array.is_null(row) || column.encoder.is_null(row) {
            continue;
        }
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{}\":", column.name).as_bytes());
        let start = out.len();
        match column.name {
            "time" => column.time(row, &mut out)?,
            "data" => column.data(row, limits, &mut out)?,
            _ => column.encoder.encode(row, &mut out),
        }
        if out.len() - start > limits.event_bytes {
            let detail = format!("the column `{}` holds more than {} bytes", column.name, limits.event_bytes);
            return Err(Problem::new(ErrorClass::TooLarge, detail).code("event_too_large"));
        }
    }
    out.push(b'}');
    String::from_utf8(out).map_err(|_| malformed(&"a column holds bytes that are not UTF-8"))
}

impl Column<'_> {
    /// Writes a time as RFC 3339: Arrow's own spelling may lack the offset.
    fn time(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        let DataType::Timestamp(_, _) = self.array.data_type() else {
            self.encoder.encode(row, out);
            return Ok(());
        };
        let wanted = DataType::Timestamp(TimeUnit::Microsecond, None);
        let one = arrow::compute::cast(&self.array.slice(row, 1), &wanted).map_err(|error| malformed(&error))?;
        let micros = one.as_primitive::<TimestampMicrosecondType>().value(0);
        let time = Timestamp::from_micros(micros).ok_or_else(|| {
            let detail = format!("`time` = {micros} µs is outside of {} to {}", Timestamp::MIN, Timestamp::MAX);
            Problem::invalid_field("time", "time_range", detail)
        })?;
        out.extend_from_slice(format!("\"{time}\"").as_bytes());
        Ok(())
    }

    /// Writes the data: a struct as an object, a text as the JSON that it holds.
    fn data(&mut self, row: usize, limits: &Limits, out: &mut Vec<u8>) -> Result<(), Problem> {
        let start = out.len();
        self.encoder.encode(row, out);
        if out.get(start) != Some(&b'"') {
            return Ok(());
        }
        let token = String::from_utf8(out.split_off(start)).map_err(|error| malformed(&error))?;
        let node = json::parse(&token, limits).map_err(|fault| fault.problem(&token, 0, "data"))?;
        let inner = node.as_text().unwrap_or_default();
        // The text must be one value of its own, or it could close the event and open another.
        let mut cursor = json::Cursor::new(inner);
        let whole = cursor.skip_value().and_then(|_| cursor.end());
        whole.map_err(|fault| fault.problem(inner, 0, "data"))?;
        out.extend_from_slice(inner.as_bytes());
        Ok(())
    }
}

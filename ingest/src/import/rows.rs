//! Files as streams of rows.

mod document;
mod lines;
mod parquet;
mod separated;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use partitura_event::problem::nearest;
use partitura_event::{ErrorClass, Problem};

use super::mapping::Input;
use crate::json::Node;

/// Formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One document: an array of rows, or an object.
    Json,
    /// One JSON value per line.
    Jsonl,
    /// Comma-separated values with a header; other separators by `delimiter`.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// Extensions and words, and their formats.
const FORMATS: &[(&str, Format)] = &[
    ("json", Format::Json),
    ("jsonl", Format::Jsonl),
    ("ndjson", Format::Jsonl),
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
    ("parquet", Format::Parquet),
];

impl Format {
    /// Reads a format's name.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let lower = name.to_ascii_lowercase();
        let found = FORMATS.iter().find(|(known, _)| *known == lower).map(|(_, format)| *format);
        found.ok_or_else(|| {
            let near = nearest(name, FORMATS.iter().map(|(known, _)| *known), 1);
            let hint = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("{name:?} is no format; known are json, jsonl, csv and parquet{hint}")
        })
    }
}

/// One row of a file.
#[derive(Clone, Debug)]
pub struct Row {
    /// The file's name, without its folder.
    pub file: String,
    /// Place in the file, from 1; of lines of text the line's number.
    pub number: u64,
    /// What it holds.
    pub value: Node<'static>,
}

impl Row {
    /// Returns the file's name without its extension.
    pub(super) fn file_stem(&self) -> &str {
        self.file.rsplit_once('.').map_or(self.file.as_str(), |(stem, _)| stem)
    }
}

/// A row that cannot be read; those after it still can.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// Place in the file.
    pub number: u64,
    /// Why.
    pub problem: Problem,
    /// What stands there, as far as it is text.
    pub raw: String,
}

/// The rows of one file.
pub struct Rows {
    inner: Box<dyn Iterator<Item = Result<(u64, Node<'static>), BadRow>> + Send>,
    file: String,
    read: Arc<AtomicU64>,
    /// Size of the file in bytes.
    pub total_bytes: u64,
}

impl Rows {
    /// Returns how many bytes of the file were read so far.
    pub fn read_bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Returns the file's name, without its folder.
    pub fn file(&self) -> &str {
        &self.file
    }
}

impl Iterator for Rows {
    type Item = Result<Row, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.inner.next()?;
        Some(next.map(|(number, value)| Row { file: self.file.clone(), number, value }))
    }
}

/// Opens `path` and reads it row by row; JSON documents are read whole, all else as a stream.
pub fn open_rows(path: &Path, input: &Input) -> Result<Rows, Problem> {
    let shown = path.display();
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let format = match (input.format, path.extension().and_then(|extension| extension.to_str())) {
        (Some(format), _) => format,
        (None, Some(extension)) => Format::parse(extension).map_err(|error| unknown_format(&shown, &error))?,
        (None, None) => return Err(unknown_format(&shown, "the name has no extension")),
    };
    let opened = File::open(path).map_err(|error| {
        let class =
            if error.kind() == std::io::ErrorKind::NotFound { ErrorClass::NotFound } else { ErrorClass::Unavailable };
        Problem::new(class, format!("{shown} cannot be read: {error}"))
    })?;
    let total_bytes = opened.metadata().map(|meta| meta.len()).unwrap_or(0);
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted { file: opened, read: Arc::clone(&read) };
    let inner: Box<dyn Iterator<Item = _> + Send> = match format {
        Format::Json => Box::new(document::rows(counted, input.rows.as_ref(), &file)?),
        Format::Jsonl => Box::new(lines::rows(counted)),
        Format::Csv => {
            let tabs = path.extension().is_some_and(|extension| extension == "tsv") && input.delimiter == b',';
            Box::new(separated::rows(counted, if tabs { b'\t' } else { input.delimiter })?)
        }
        Format::Parquet => Box::new(parquet::rows(counted.file, Arc::clone(&read), total_bytes)?),
    };
    Ok(Rows { inner, file, read, total_bytes })
}

fn unknown_format(path: &dyn std::fmt::Display, why: &str) -> Problem {
    let detail = format!("the format of {path} is not known: {why}");
    Problem::new(ErrorClass::UnsupportedMedia, detail).hint("name it in the mapping: [input] format = \"jsonl\"")
}

/// A file that counts what is read of it.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl std::io::Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

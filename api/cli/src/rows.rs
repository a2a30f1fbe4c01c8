//! Prints rows of JSON objects in the chosen format. Data goes to stdout, nothing else does.

use std::io::{self, IsTerminal, Write};

use serde_json::{Map, Value};

use crate::args::OutputFormat;

/// One row.
pub type Row = Map<String, Value>;

/// Returns the format to print in: a table for people, lines for programs.
pub fn format_or_default(asked: Option<OutputFormat>) -> OutputFormat {
    asked.unwrap_or_else(|| if io::stdout().is_terminal() { OutputFormat::Table } else { OutputFormat::Ndjson })
}

/// Returns an object as a row.
pub fn row(value: &Value) -> Row {
    value.as_object().cloned().unwrap_or_default()
}

/// Prints one object with `columns`, in this order.
pub fn print_one(value: &Value, columns: &[&str], format: Option<OutputFormat>) -> io::Result<()> {
    print(&[row(value)], columns, format_or_default(format))
}

/// Prints `rows` with `columns`, in this order.
pub fn print(rows: &[Row], columns: &[&str], format: OutputFormat) -> io::Result<()> {
    if format == OutputFormat::Table {
        let mut out = io::stdout().lock();
        table(&mut out, rows, columns)?;
        return out.flush();
    }
    let mut out = RowWriter::begin(columns, format)?;
    for row in rows {
        out.write(row)?;
    }
    out.end()
}

/// Prints rows one by one, for those that come without end.
pub struct RowWriter<'a> {
    columns: &'a [&'a str],
    format: OutputFormat,
    written: u64,
}

impl<'a> RowWriter<'a> {
    /// Prints what stands before the first row.
    pub fn begin(columns: &'a [&'a str], format: OutputFormat) -> io::Result<Self> {
        let mut out = io::stdout().lock();
        match format {
            OutputFormat::Csv => writeln!(out, "{}", columns.join(","))?,
            OutputFormat::Markdown => {
                writeln!(out, "| {} |\n|{}|", columns.join(" | "), vec![" --- "; columns.len()].join("|"))?;
            }
            OutputFormat::Json => write!(out, "[")?,
            OutputFormat::Table | OutputFormat::Ndjson => {}
        }
        Ok(Self { columns, format, written: 0 })
    }

    /// Prints one row.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        let mut out = io::stdout().lock();
        self.written += 1;
        let cells = self.columns.iter().map(|name| text(row.get(*name)));
        match self.format {
            OutputFormat::Json => {
                let comma = if self.written == 1 { "" } else { "," };
                let text = serde_json::to_string_pretty(row)?.replace('\n', "\n  ");
                write!(out, "{comma}\n  {text}")
            }
            OutputFormat::Ndjson => writeln!(out, "{}", serde_json::to_string(row)?),
            OutputFormat::Csv => writeln!(out, "{}", cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(",")),
            OutputFormat::Markdown => {
                let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
                writeln!(out, "| {} |", cells.join(" | "))
            }
            OutputFormat::Table => {
                let cells: Vec<_> = cells.map(|cell| cut(&cell)).collect();
                writeln!(out, "{}", cells.join("  ").trim_end())
            }
        }
    }

    /// Prints what stands after the last row.
    pub fn end(self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.format == OutputFormat::Json {
            let line = if self.written == 0 { "" } else { "\n" };
            writeln!(out, "{line}]")?;
        }
        out.flush()
    }
}

/// Widest cell of a table; longer text is cut.
const CELL_MAX: usize = 72;

fn cut(text: &str) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    match text.char_indices().nth(CELL_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn table(out: &mut impl Write, rows: &[Row], columns: &[&str]) -> io::Result<()> {
    let cells = |row: &Row| columns.iter().map(|name| cut(&text(row.get(*name)))).collect();
    let body: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let width = |at: usize| {
        let cells = body.iter().map(|row| row[at].chars().count());
        cells.max().unwrap_or(0).max(columns[at].chars().count())
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", line(columns.to_vec()))?;
    writeln!(out, "{}", widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  "))?;
    for row in &body {
        writeln!(out, "{}", line(row.iter().map(String::as_str).collect()))?;
    }
    Ok(())
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

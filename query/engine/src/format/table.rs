//! Tables for people: Markdown, and a grid for terminals. Held until the end, to know the widths.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::Encoder;
use super::cell::{Cells, names};
use crate::stream::SqlStats;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Markdown,
    Pretty,
}

/// Collects cells, then writes them aligned.
pub(super) struct TextTable {
    look: Look,
    names: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    pub const fn markdown() -> Self {
        Self { look: Look::Markdown, names: Vec::new(), right: Vec::new(), rows: Vec::new() }
    }

    pub const fn pretty() -> Self {
        Self { look: Look::Pretty, names: Vec::new(), right: Vec::new(), rows: Vec::new() }
    }

    fn line(&self, cells: &[String], widths: &[usize], out: &mut String) {
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let space = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, after) = if self.right[index] { (space.as_str(), "") } else { ("", space.as_str()) };
            out.push_str("| ");
            out.push_str(before);
            out.push_str(cell);
            out.push_str(after);
            out.push(' ');
        }
        out.push_str("|\n");
    }

    fn rule(&self, widths: &[usize], out: &mut String) {
        let corner = if self.look == Look::Markdown { '|' } else { '+' };
        for (index, width) in widths.iter().enumerate() {
            out.push(corner);
            let end = if self.look == Look::Markdown && self.right[index] { ":" } else { "-" };
            out.push_str(&"-".repeat(width + 1));
            out.push_str(end);
        }
        out.push(corner);
        out.push('\n');
    }
}

impl Encoder for TextTable {
    fn begin(&mut self, schema: &SchemaRef, _: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.names = names(schema).iter().map(|name| escape(self.look, name)).collect();
        self.right = schema.fields().iter().map(|field| field.data_type().is_numeric()).collect();
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, _: &mut Vec<u8>) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let mut cells = Vec::with_capacity(columns.len());
            for column in &columns {
                let mut text = Vec::new();
                column.text(row, &mut text)?;
                cells.push(escape(self.look, &String::from_utf8_lossy(&text)));
            }
            self.rows.push(cells);
        }
        Ok(())
    }

    fn end(&mut self, stats: &SqlStats, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.chars().count().max(3)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        if self.look == Look::Pretty {
            self.rule(&widths, &mut text);
        }
        self.line(&self.names, &widths, &mut text);
        self.rule(&widths, &mut text);
        for row in &self.rows {
            self.line(row, &widths, &mut text);
        }
        if self.look == Look::Pretty {
            self.rule(&widths, &mut text);
            let rows = if stats.rows == 1 { "row" } else { "rows" };
            let more = if stats.truncated { ", cut at the limit" } else { "" };
            text.push_str(&format!("{} {rows}{more}\n", stats.rows));
        }
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Keeps a cell on one line, and inside of its column.
fn escape(look: Look, text: &str) -> String {
    let line = text.replace('\r', "").replace('\n', if look == Look::Markdown { "<br>" } else { "⏎" });
    let line: String = line.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if look == Look::Markdown { line.replace('|', "\\|") } else { line }
}

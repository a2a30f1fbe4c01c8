//! `COPY … TO STDOUT`: the cells of rows as text, CSV or Postgres' binary format.

use bytes::{BufMut, Bytes, BytesMut};
use partitura_event::{ErrorClass, Problem};
use pgwire::api::results::FieldInfo;
use pgwire::messages::copy::CopyOutResponse;
use pgwire::messages::data::DataRow;

/// First bytes of the binary format: signature, flags, length of an extension.
const BINARY_HEAD: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
const BINARY_END: &[u8] = &[0xFF, 0xFF];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Csv,
    Binary,
}

/// How rows are written.
#[derive(Clone, Debug)]
pub struct Copy {
    format: Format,
    header: bool,
    delimiter: u8,
    quote: u8,
    null: String,
}

impl Copy {
    /// Reads the options. Errors name the one that is wrong.
    pub fn new(options: &[(String, String)]) -> Result<Self, Problem> {
        let find = |name: &str| options.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let format = match find("format").unwrap_or("text") {
            "text" => Format::Text,
            "csv" => Format::Csv,
            "binary" => Format::Binary,
            other => return Err(wrong(format!("COPY has no format \"{other:.20}\"")).hint("text, csv or binary")),
        };
        let known = ["format", "header", "delimiter", "quote", "null", "encoding"];
        if let Some((name, _)) = options.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(wrong(format!("COPY has no option \"{name:.40}\" here")).suggest(name, known));
        }
        let (delimiter, null) = if format == Format::Csv { (b',', "") } else { (b'\t', "\\N") };
        let byte = |name: &str, default: u8| match find(name).map(str::as_bytes) {
            None => Ok(default),
            Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'\0') => Ok(*byte),
            Some(_) => Err(wrong(format!("COPY {name} must be a single one-byte character"))),
        };
        if find("encoding").is_some_and(|name| !name.replace('-', "").eq_ignore_ascii_case("utf8")) {
            return Err(wrong("COPY writes UTF8 only".to_owned()));
        }
        Ok(Self {
            format,
            header: format != Format::Binary && matches!(find("header"), Some("" | "true" | "on" | "1")),
            delimiter: byte("delimiter", delimiter)?,
            quote: byte("quote", b'"')?,
            null: find("null").unwrap_or(null).to_owned(),
        })
    }

    /// Returns the format in which cells are wanted: 0 is text, 1 is binary.
    pub fn cells(&self) -> i16 {
        i16::from(self.format == Format::Binary)
    }

    /// Announces the rows.
    pub fn announcement(&self, columns: usize) -> CopyOutResponse {
        let count = i16::try_from(columns).unwrap_or(i16::MAX);
        CopyOutResponse::new(i8::from(self.format == Format::Binary), count, vec![self.cells(); columns])
    }

    /// Returns what comes before the rows.
    pub fn head(&self, fields: &[FieldInfo]) -> Option<Bytes> {
        if self.format == Format::Binary {
            return Some(Bytes::from_static(BINARY_HEAD));
        }
        self.header.then(|| self.line(fields.iter().map(|field| Some(field.name().as_bytes()))))
    }

    /// Returns what comes after the rows.
    pub fn tail(&self) -> Option<Bytes> {
        (self.format == Format::Binary).then(|| Bytes::from_static(BINARY_END))
    }

    /// Writes one row.
    pub fn row(&self, row: &DataRow) -> Bytes {
        if self.format == Format::Binary {
            let mut out = BytesMut::with_capacity(row.data.len() + 2);
            out.put_i16(row.field_count);
            out.put_slice(&row.data);
            return out.freeze();
        }
        self.line(Cells(&row.data))
    }

    fn line<'c>(&self, cells: impl Iterator<Item = Option<&'c [u8]>>) -> Bytes {
        let mut out = BytesMut::new();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.put_u8(self.delimiter);
            }
            match cell {
                None => out.put_slice(self.null.as_bytes()),
                Some(cell) if self.format == Format::Csv => self.quoted(&mut out, cell),
                Some(cell) => self.escaped(&mut out, cell),
            }
        }
        out.put_u8(b'\n');
        out.freeze()
    }

    /// An empty text is quoted too, so that it is no null.
    fn quoted(&self, out: &mut BytesMut, cell: &[u8]) {
        let special = |byte: &u8| [self.delimiter, self.quote, b'\n', b'\r'].contains(byte);
        if cell != self.null.as_bytes() && cell != b"\\." && !cell.iter().any(special) {
            return out.put_slice(cell);
        }
        out.put_u8(self.quote);
        for &byte in cell {
            if byte == self.quote {
                out.put_u8(self.quote);
            }
            out.put_u8(byte);
        }
        out.put_u8(self.quote);
    }

    fn escaped(&self, out: &mut BytesMut, cell: &[u8]) {
        for &byte in cell {
            match byte {
                b'\\' => out.put_slice(b"\\\\"),
                b'\n' => out.put_slice(b"\\n"),
                b'\r' => out.put_slice(b"\\r"),
                b'\t' => out.put_slice(b"\\t"),
                0x08 => out.put_slice(b"\\b"),
                0x0B => out.put_slice(b"\\v"),
                0x0C => out.put_slice(b"\\f"),
                byte if byte == self.delimiter => out.put_slice(&[b'\\', byte]),
                byte => out.put_u8(byte),
            }
        }
    }
}

/// The cells of a row as pgwire wrote them: a length, -1 for null, and so many bytes.
struct Cells<'r>(&'r [u8]);

impl<'r> Iterator for Cells<'r> {
    type Item = Option<&'r [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let cell = usize::try_from(i32::from_be_bytes(*length)).ok().and_then(|length| rest.split_at_checked(length));
        self.0 = cell.map_or(rest, |(_, after)| after);
        Some(cell.map(|(cell, _)| cell))
    }
}

fn wrong(detail: String) -> Problem {
    Problem::new(ErrorClass::Invalid, detail).code("copy_option")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(options: &[(&str, &str)], cells: &[Option<&str>]) -> String {
        let options: Vec<_> = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let copy = Copy::new(&options).expect("options");
        let line = copy.line(cells.iter().map(|cell| cell.map(str::as_bytes)));
        String::from_utf8(line.to_vec()).expect("text")
    }

    #[test]
    fn a_null_is_no_empty_text() {
        let cells = [Some("a,\"b\"\n"), None, Some(""), Some("\\N"), Some("t\tx\\")];
        assert_eq!(written(&[("format", "csv")], &cells), "\"a,\"\"b\"\"\n\",,\"\",\\N,t\tx\\\n");
        assert_eq!(written(&[], &cells), "a,\"b\"\\n\t\\N\t\t\\\\N\tt\\tx\\\\\n");
        assert_eq!(written(&[("format", "csv"), ("delimiter", ";"), ("null", "-")], &[Some("-"), None]), "\"-\";-\n");
    }

    #[test]
    fn wrong_options_are_named() {
        for (name, value) in [("format", "xml"), ("delimiter", "ab"), ("force_quote", "*"), ("encoding", "latin1")] {
            assert_eq!(
                Copy::new(&[(name.into(), value.into())]).expect_err("it is refused").code,
                "copy_option",
                "{name}"
            );
        }
    }
}

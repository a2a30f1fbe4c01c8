//! Messages of a client, read with every length checked: they come from anybody.

use bytes::Bytes;
use partitura_event::{ErrorClass, Problem};

use crate::problem::protocol;

/// What a client says after it was let in.
#[derive(Debug, PartialEq)]
pub enum Frontend {
    /// Statements, answered in text.
    Query(String),
    /// A statement to be kept.
    Parse { name: String, sql: String, types: Vec<u32> },
    /// Values for a statement.
    Bind(Bind),
    /// What a statement takes and gives.
    DescribeStatement(String),
    /// What a portal gives.
    DescribePortal(String),
    /// Rows of a portal; 0 is all of them.
    Execute { portal: String, rows: usize },
    /// A statement that is no longer needed.
    CloseStatement(String),
    /// A portal that is no longer needed.
    ClosePortal(String),
    /// The end of a group of messages.
    Sync,
    /// Send what waits.
    Flush,
    /// The end.
    Terminate,
    /// Part of a copy that failed before it began.
    CopyRest,
    /// A message of the protocol that has no use here.
    Unused(&'static str),
}

/// Values for a statement, and the formats of its rows.
#[derive(Debug, Default, PartialEq)]
pub struct Bind {
    pub portal: String,
    pub statement: String,
    pub formats: Vec<i16>,
    pub values: Vec<Option<Bytes>>,
    pub results: Vec<i16>,
}

impl Frontend {
    /// Reads the body of a message. Errors say what is wrong with it.
    pub fn read(tag: u8, body: Bytes) -> Result<Self, Problem> {
        let mut fields = Fields(body);
        let message = match tag {
            b'Q' => Self::Query(fields.text()?),
            b'P' => {
                let (name, sql) = (fields.text()?, fields.text()?);
                let count = fields.count()?;
                Self::Parse { name, sql, types: (0..count).map(|_| fields.u32()).collect::<Result<_, _>>()? }
            }
            b'B' => Self::Bind(bind(&mut fields)?),
            b'D' => target(&mut fields, Self::DescribeStatement, Self::DescribePortal)?,
            b'C' => target(&mut fields, Self::CloseStatement, Self::ClosePortal)?,
            b'E' => {
                let portal = fields.text()?;
                // A limit below zero is none, as in Postgres.
                let rows = usize::try_from(fields.u32()?.cast_signed()).unwrap_or(0);
                Self::Execute { portal, rows }
            }
            b'S' => Self::Sync,
            b'H' => Self::Flush,
            b'X' => Self::Terminate,
            b'd' | b'c' | b'f' => return Ok(Self::CopyRest),
            b'F' => return Ok(Self::Unused("a function call")),
            b'p' => return Ok(Self::Unused("a password, which nobody asked for")),
            other => return Err(protocol(format!("there is no message of the type {:?}", char::from(other)))),
        };
        match fields.0.len() {
            0 => Ok(message),
            more => Err(protocol(format!("{more} bytes follow the end of a message"))),
        }
    }
}

fn bind(fields: &mut Fields) -> Result<Bind, Problem> {
    let (portal, statement) = (fields.text()?, fields.text()?);
    let formats = fields.formats()?;
    let count = fields.count()?;
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(match fields.u32()?.cast_signed() {
            -1 => None,
            length => {
                let length = usize::try_from(length).map_err(|_| protocol("a value has a length below zero"))?;
                Some(fields.take(length)?)
            }
        });
    }
    Ok(Bind { portal, statement, formats, values, results: fields.formats()? })
}

fn target(
    fields: &mut Fields,
    statement: fn(String) -> Frontend,
    portal: fn(String) -> Frontend,
) -> Result<Frontend, Problem> {
    match fields.take(1)?[0] {
        b'S' => fields.text().map(statement),
        b'P' => fields.text().map(portal),
        other => Err(protocol(format!("{:?} is neither a statement nor a portal", char::from(other)))),
    }
}

/// The fields of a message that were not read yet.
pub struct Fields(pub Bytes);

impl Fields {
    fn take(&mut self, count: usize) -> Result<Bytes, Problem> {
        if self.0.len() < count {
            return Err(protocol(format!("a message ends {} bytes early", count - self.0.len())));
        }
        Ok(self.0.split_to(count))
    }

    /// Reads four bytes.
    pub fn u32(&mut self) -> Result<u32, Problem> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn count(&mut self) -> Result<usize, Problem> {
        let bytes = self.take(2)?;
        Ok(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    }

    fn formats(&mut self) -> Result<Vec<i16>, Problem> {
        let count = self.count()?;
        let read = |_| match self.count()? {
            0 => Ok(0),
            1 => Ok(1),
            other => Err(protocol(format!("there is no format {other}; 0 is text, 1 is binary"))),
        };
        (0..count).map(read).collect()
    }

    /// Reads a text up to its NUL.
    pub fn text(&mut self) -> Result<String, Problem> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(|| protocol("a text has no end"))?;
        let text = self.take(end + 1)?;
        utf8(&text[..end]).map(str::to_owned)
    }
}

/// Reads text. Errors as Postgres does for other encodings.
pub fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("the text is not UTF-8: byte {} of it", error.valid_up_to());
        Problem::new(ErrorClass::Malformed, detail).code("invalid_utf8").hint("set client_encoding to UTF8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, body: &[u8]) -> Result<Frontend, Problem> {
        Frontend::read(tag, Bytes::copy_from_slice(body))
    }

    #[test]
    fn messages_are_read() {
        assert_eq!(read(b'Q', b"SELECT 1\0").expect("a query"), Frontend::Query("SELECT 1".into()));
        let bound = read(b'B', b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xFF\xFF\xFF\xFF\0\0").expect("a bind");
        let Frontend::Bind(bind) = bound else { panic!("{bound:?}") };
        assert_eq!((bind.formats, bind.values), (vec![1], vec![Some(Bytes::from_static(b"x")), None]));
        let rows = read(b'E', b"\0\xFF\xFF\xFF\xFF").expect("an execute");
        assert_eq!(rows, Frontend::Execute { portal: String::new(), rows: 0 });
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        let whole = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xFF\xFF\xFF\xFF\0\0";
        for end in 0..whole.len() {
            assert_eq!(read(b'B', &whole[..end]).expect_err("it is cut off").code, "pg_message", "{end}");
        }
        for (tag, body, code) in [
            (b'Q', &b"no end"[..], "pg_message"),
            (b'Q', b"a\0b\0", "pg_message"),
            (b'Q', b"\xFF\0", "invalid_utf8"),
            (b'P', b"\0SELECT 1\0\xFF\xFF", "pg_message"),
            (b'B', b"\0\0\0\0\0\x01\x7F\xFF\xFF\xFF", "pg_message"),
            (b'B', b"\0\0\0\0\0\x01\xFF\xFF\xFF\xFE", "pg_message"),
            (b'B', b"\0\0\0\x01\0\x07\0\0\0\0", "pg_message"),
            (b'D', b"Xname\0", "pg_message"),
            (b'D', b"", "pg_message"),
            (b'E', b"\0\0", "pg_message"),
            (b'!', b"", "pg_message"),
        ] {
            assert_eq!(read(tag, body).expect_err("it is refused").code, code, "{body:?}");
        }
    }
}

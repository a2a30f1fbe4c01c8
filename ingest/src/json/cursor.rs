//! A pull reader over JSON text: checks the grammar, builds nothing, never recurses.

use std::borrow::Cow;

use partitura_event::json::plain;
use partitura_event::{ErrorClass, Problem};

use super::fault::Fault;
use crate::limits::MAX_DEPTH;

/// Returns the body as text. A UTF-8 byte order mark is skipped; other encodings are refused by name.
pub fn text_of(body: &[u8]) -> Result<&str, Problem> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
        let problem = Problem::new(ErrorClass::Malformed, "the body is UTF-16 (it starts with its byte order mark)");
        return Err(problem.code("invalid_utf8").hint("send UTF-8"));
    }
    std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        let line = body[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let detail = format!("the body is not UTF-8: byte 0x{:02X} at offset {at} (line {line})", body[at]);
        Problem::new(ErrorClass::Malformed, detail).code("invalid_utf8").hint("send UTF-8")
    })
}

/// Reads from left to right. After an error its place is unspecified.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of `text`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the byte offset of what comes next.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Skips white space and returns the next byte, without taking it.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes the next byte after white space when it is `byte`.
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte` or fails; `what` says what was expected.
    pub fn expect(&mut self, byte: u8, what: &str) -> Result<(), Fault> {
        if self.eat(byte) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    /// Fails unless only white space is left.
    pub fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the body")),
        }
    }

    /// Takes one whole value and returns its text. Costs no memory, whatever the value holds.
    pub fn skip_value(&mut self) -> Result<&'a str, Fault> {
        self.peek();
        let start = self.at;
        let mut open = Nesting::default();
        loop {
            match self.peek() {
                Some(b'{') => {
                    open.push(true, self.at)?;
                    self.at += 1;
                    if self.eat(b'}') {
                        open.pop();
                    } else {
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    open.push(false, self.at)?;
                    self.at += 1;
                    if self.eat(b']') {
                        open.pop();
                    } else {
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            if self.close(&mut open)? {
                return Ok(&self.text[start..self.at]);
            }
        }
    }

    /// After a value: takes closing brackets and at most one comma. True when the outermost is closed.
    fn close(&mut self, open: &mut Nesting) -> Result<bool, Fault> {
        loop {
            let Some(object) = open.top() else { return Ok(true) };
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    if object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                Some(b'}') if object => open.pop(),
                Some(b']') if !object => open.pop(),
                _ => return Err(self.unexpected(if object { "`,` or `}`" } else { "`,` or `]`" })),
            }
            self.at += 1;
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            _ => self.literal().map(|_| ()),
        }
    }

    /// Takes a key and its colon; returns the key's raw text between the quotes.
    pub fn key(&mut self) -> Result<&'a str, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.string()?;
        self.expect(b':', "`:`")?;
        Ok(key)
    }

    /// Takes `true`, `false` or `null` and returns the word.
    pub fn literal(&mut self) -> Result<&'static str, Fault> {
        self.peek();
        let rest = &self.text[self.at..];
        for word in ["true", "false", "null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        if ["NaN", "Infinity", "nan", "inf"].iter().any(|word| rest.starts_with(word)) {
            let message = "NaN and Infinity are not JSON; send null or leave the field out";
            return Err(Fault::malformed("not_a_number", self.at, message));
        }
        Err(self.unexpected("a value"))
    }

    /// Takes a number and returns its text; the range is not checked here.
    pub fn number(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        match (bytes.get(at), digits(at)) {
            (Some(b'0'), _) => at += 1,
            (_, 0) => return Err(self.number_fault(at)),
            (_, count) => at += count,
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1 + digits(at + 1);
            if bytes[at - 1] == b'.' {
                return Err(self.number_fault(at));
            }
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            match digits(at) {
                0 => return Err(self.number_fault(at)),
                count => at += count,
            }
        }
        if bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.') {
            return Err(self.number_fault(at));
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    fn number_fault(&self, at: usize) -> Fault {
        if self.text[self.at..].starts_with("-Infinity") || self.text[self.at..].starts_with("-inf") {
            let message = "NaN and Infinity are not JSON; send null or leave the field out";
            return Fault::malformed("not_a_number", self.at, message);
        }
        match self.text.as_bytes().get(at) {
            None => Fault::malformed("truncated", at, "the body ends inside a number"),
            Some(_) => Fault::malformed("json_syntax", at, "this is not a JSON number"),
        }
    }

    /// Takes a string, checks its escapes, and returns the raw text between the quotes.
    pub fn string(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        loop {
            at += plain(&bytes[at..]);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at = escape(bytes, at)?,
                Some(_) => {
                    let message = format!("a control character (0x{:02X}) stands unescaped in a string", bytes[at]);
                    return Err(Fault::malformed("json_syntax", at, message));
                }
                None => return Err(Fault::malformed("truncated", at, "the body ends inside a string")),
            }
        }
        self.at = at + 1;
        Ok(&self.text[start..at])
    }

    /// Says what stands here instead of `wanted`.
    pub fn unexpected(&mut self, wanted: &str) -> Fault {
        match self.peek() {
            None => Fault::malformed("truncated", self.at, format!("the body ends where {wanted} is expected")),
            Some(_) => {
                let found = self.text[self.at..].chars().next().unwrap_or_default();
                Fault::malformed("json_syntax", self.at, format!("found {found:?} where {wanted} is expected"))
            }
        }
    }
}

/// Which of the open brackets are objects: one bit each, the innermost lowest.
#[derive(Default)]
struct Nesting {
    depth: usize,
    objects: u128,
}

impl Nesting {
    fn push(&mut self, object: bool, at: usize) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            let message = format!("arrays and objects are nested deeper than {MAX_DEPTH} levels");
            return Err(Fault::malformed("too_deep", at, message));
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        Ok(())
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    fn top(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }
}

/// Checks the escape that starts at the backslash `at`; returns the place after it.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match unit(bytes, at)? {
            0xD800..0xDC00 => match unit(bytes, at + 6) {
                Ok(0xDC00..0xE000) => Ok(at + 12),
                _ => Err(lone_surrogate(at)),
            },
            0xDC00..0xE000 => Err(lone_surrogate(at)),
            _ => Ok(at + 6),
        },
        None => Err(Fault::malformed("truncated", at, "the body ends inside a string")),
        Some(_) => Err(Fault::malformed("json_syntax", at, "this escape is not one of JSON's")),
    }
}

fn lone_surrogate(at: usize) -> Fault {
    Fault::malformed("lone_surrogate", at, "a \\u escape is half of a surrogate pair, which is no character")
}

/// Reads `\uXXXX` at `at`.
fn unit(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let wrong = || Fault::malformed("json_syntax", at, "`\\u` must be followed by four hexadecimal digits");
    match bytes.get(at..at + 6) {
        Some([b'\\', b'u', hex @ ..]) => hex.iter().try_fold(0, |value, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or_else(wrong)?;
            Ok(value << 4 | digit)
        }),
        _ => Err(wrong()),
    }
}

/// Resolves the escapes of a string that [`Cursor::string`] has checked.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            let end = raw[at..].find('\\').map_or(bytes.len(), |next| at + next);
            out.push_str(&raw[at..end]);
            at = end;
            continue;
        }
        let plain = match bytes.get(at + 1) {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = unit(bytes, at).unwrap_or(0xFFFD);
                let pair = (0xD800..0xDC00).contains(&high);
                let low = if pair { unit(bytes, at + 6).unwrap_or(0xDC00) } else { 0 };
                let code = if pair { 0x10000 + ((high - 0xD800) << 10) + (low.saturating_sub(0xDC00)) } else { high };
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                at += if pair { 12 } else { 6 };
                continue;
            }
            Some(other) => char::from(*other),
            None => break,
        };
        out.push(plain);
        at += 2;
    }
    Cow::Owned(out)
}

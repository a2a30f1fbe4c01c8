//! Text → tree, within limits. The grammar was checked before: nothing is built of what is not JSON.

use std::borrow::Cow;

use partitura_event::ErrorClass;
use partitura_event::json::Node;

use super::cursor::{Cursor, unescape};
use super::fault::Fault;
use crate::limits::Limits;

/// Reads one value that is the whole of `text`, within `limits`.
pub fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Node<'a>, Fault> {
    // The cheap pass first: depth and grammar are known to be sound before anything is built.
    let mut check = Cursor::new(text);
    check.skip_value()?;
    check.end()?;
    build(text, limits)
}

/// Reads one value whose grammar [`Cursor::skip_value`] has accepted already.
pub(crate) fn build<'a>(text: &'a str, limits: &Limits) -> Result<Node<'a>, Fault> {
    let mut builder = Builder { cursor: Cursor::new(text), limits, values: 0, path: Vec::new() };
    builder.value()
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

struct Builder<'a, 'l> {
    cursor: Cursor<'a>,
    limits: &'l Limits,
    values: usize,
    path: Vec<Step<'a>>,
}

impl<'a> Builder<'a, '_> {
    fn value(&mut self) -> Result<Node<'a>, Fault> {
        self.values += 1;
        if self.values > self.limits.values_per_event {
            let message = format!("more than {} JSON values in one event", self.limits.values_per_event);
            return Err(self.fault(ErrorClass::TooLarge, "too_many_values", message));
        }
        match self.cursor.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.text().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.cursor.literal().map(|word| match word {
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                _ => Node::Null,
            }),
        }
    }

    fn object(&mut self) -> Result<Node<'a>, Fault> {
        self.cursor.expect(b'{', "an object")?;
        let mut members = Vec::new();
        if self.cursor.eat(b'}') {
            return Ok(Node::Object(members));
        }
        loop {
            let raw = self.cursor.key()?;
            self.path.push(Step::Key(raw));
            let key = self.no_nul(unescape(raw))?;
            let value = self.value()?;
            self.path.pop();
            members.push((key, value));
            if members.len() > self.limits.keys_per_object {
                let message = format!("more than {} keys in one object", self.limits.keys_per_object);
                return Err(self.fault(ErrorClass::TooLarge, "too_many_keys", message));
            }
            if !self.cursor.eat(b',') {
                break;
            }
        }
        self.cursor.expect(b'}', "`}`")?;
        match duplicate(&members) {
            Some(key) => {
                let message = format!("the key {:?} stands twice in one object", shorten(key));
                Err(self.fault(ErrorClass::Malformed, "duplicate_key", message))
            }
            None => Ok(Node::Object(members)),
        }
    }

    fn list(&mut self) -> Result<Node<'a>, Fault> {
        self.cursor.expect(b'[', "an array")?;
        let mut items = Vec::new();
        if self.cursor.eat(b']') {
            return Ok(Node::List(items));
        }
        loop {
            self.path.push(Step::Index(items.len()));
            items.push(self.value()?);
            self.path.pop();
            if !self.cursor.eat(b',') {
                break;
            }
        }
        self.cursor.expect(b']', "`]`")?;
        Ok(Node::List(items))
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Fault> {
        let raw = self.cursor.string()?;
        self.no_nul(unescape(raw))
    }

    /// Only an escape can bring a NUL: the grammar has no control characters within strings.
    fn no_nul(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Fault> {
        if matches!(&text, Cow::Owned(unescaped) if unescaped.contains('\0')) {
            let message = "a string contains the character NUL (\\u0000), which many clients cut texts at; \
                           replace it before sending";
            return Err(self.fault(ErrorClass::Invalid, "nul_character", message.to_owned()));
        }
        Ok(text)
    }

    fn number(&mut self) -> Result<Node<'a>, Fault> {
        let token = self.cursor.number()?;
        let integer = !token.contains(['.', 'e', 'E']);
        let fits = match integer {
            true => token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok(),
            false => token.parse::<f64>().is_ok_and(f64::is_finite),
        };
        if fits {
            return Ok(Node::Number(Cow::Borrowed(token)));
        }
        let kind = if integer { "64-bit integers" } else { "64-bit floats" };
        let message = format!("the number {token:.40} is outside of the range of {kind}; send it as a string");
        Err(self.fault(ErrorClass::Invalid, "number_range", message))
    }

    fn fault(&self, class: ErrorClass, code: &'static str, message: String) -> Fault {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Key(raw) if path.is_empty() => path.push_str(&unescape(raw)),
                Step::Key(raw) => {
                    path.push('.');
                    path.push_str(&unescape(raw));
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        Fault::at(class, code, self.cursor.at(), shorten(&path), message)
    }
}

/// Cuts what a message quotes at 200 bytes.
fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// Returns a key that stands twice.
fn duplicate<'m>(members: &'m [(Cow<'_, str>, Node<'_>)]) -> Option<&'m str> {
    if members.len() <= 12 {
        let mut seen = members.iter().enumerate();
        return seen
            .find(|(n, (key, _))| members[..*n].iter().any(|(other, _)| other == key))
            .map(|(_, (key, _))| &**key);
    }
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

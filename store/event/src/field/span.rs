//! Lengths of time as people write them: `90s`, `15m`, `24h`, `7d`, `2w`, or a number of seconds.

use std::borrow::Cow;

use serde_json::Value;

use super::finding::{Findings, Path};
use super::shape::FieldValue;
use super::spec::FieldType;
use super::text::told;
use crate::json::Node;
use crate::problem::Problem;

/// A length of time in microseconds; never negative, at most 300 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// Unit suffixes and their microseconds, the largest that divides a span is used to write it.
const UNITS: [(&str, i64); 8] = [
    ("w", 604_800_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
    ("min", 60_000_000),
];

/// 300 years.
const MAX_MICROS: i64 = 300 * 366 * 86_400_000_000;

impl Span {
    /// Reads `7d`, `1.5h` or `90` (seconds).
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let wrong = || {
            let detail = format!("`{field}` = {text:.40?} is not a length of time; write 90s, 15m, 24h, 7d or 2w");
            Problem::invalid_field(field, "span", detail)
        };
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let unit = match unit.trim() {
            "" => "s",
            unit => unit,
        };
        let (_, micros) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let total = (number * *micros as f64).round();
        if total > MAX_MICROS as f64 {
            return Err(Problem::invalid_field(field, "range", format!("`{field}` = {text:.40} is over 300 years")));
        }
        Ok(Self(total as i64))
    }

    /// Returns microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match UNITS.iter().find(|(_, micros)| self.0 != 0 && self.0 % micros == 0) {
            Some((unit, micros)) => write!(f, "{}{unit}", self.0 / micros),
            None => f.write_str("0s"),
        }
    }
}

impl FieldValue for Span {
    const TYPE: FieldType = FieldType::Span;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        match value {
            Node::Text(text) => told(at, found, |path| Self::parse(path, text)),
            Node::Number(seconds) => told(at, found, |path| Self::parse(path, &plain(seconds))),
            other => {
                found.wrong_type(at, "a length of time such as \"7d\", or seconds", other);
                None
            }
        }
    }

    fn write(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// Writes a number without an exponent.
fn plain(token: &str) -> Cow<'_, str> {
    match token.parse::<f64>() {
        Ok(float) if token.contains(['.', 'e', 'E']) => Cow::Owned(format!("{float}")),
        _ => Cow::Borrowed(token),
    }
}

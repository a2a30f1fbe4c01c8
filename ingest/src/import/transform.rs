//! What can be done to a value, always in the order of the fields of [`Transform`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use partitura_event::{Problem, Timestamp};
use regex::Regex;
use rust_decimal::Decimal;

use super::section::{Section, constant};
use super::template::plain;
use crate::json::{self, Node};
use crate::limits::Limits;

/// The steps of one expression; absent ones do nothing.
#[derive(Debug, Default)]
pub(super) struct Transform {
    json: bool,
    matches: Option<Regex>,
    split: Option<String>,
    trim: bool,
    lower: bool,
    upper: bool,
    slug: bool,
    table: Option<BTreeMap<String, Node<'static>>>,
    otherwise: Option<Node<'static>>,
    number: bool,
    boolean: bool,
    multiply: Option<Decimal>,
    add: Option<Decimal>,
    round: bool,
    text: bool,
    pub(super) time: Option<TimeForm>,
}

/// How a time is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// RFC 3339, or epoch digits whose unit is told by their size.
    Auto,
    /// Digits, in units of so many to the second.
    Epoch(i64),
    /// A pattern of `strftime`; without an offset it is UTC.
    Pattern(String),
}

impl Transform {
    /// Reads the keys of an expression that say what to do.
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Problem> {
        let mut table = None;
        if let Some((value, place)) = section.get("table") {
            let inner = Section::of(value, &place)?;
            let mut map = BTreeMap::new();
            for (key, value, place) in inner.members() {
                map.insert(key.to_owned(), constant(value, &place)?);
            }
            table = Some(map);
        }
        let otherwise = match section.get("otherwise") {
            Some((value, place)) => Some(constant(value, &place)?),
            None => None,
        };
        if let (None, Some((_, place))) = (&table, section.get("otherwise")) {
            return Err(place.fault("`otherwise` needs a `table`"));
        }
        let matches = match section.text("matches")? {
            Some((pattern, place)) => Some(Regex::new(pattern).map_err(|error| place.fault(error))?),
            None => None,
        };
        Ok(Self {
            json: section.flag("json")?,
            matches,
            split: section.text("split")?.map(|(text, _)| text.to_owned()),
            trim: section.flag("trim")?,
            lower: section.flag("lower")?,
            upper: section.flag("upper")?,
            slug: section.flag("slug")?,
            table,
            otherwise,
            number: section.flag("number")?,
            boolean: section.flag("bool")?,
            multiply: decimal(section, "multiply")?,
            add: decimal(section, "add")?,
            round: section.flag("round")?,
            text: section.flag("text")?,
            time: match section.text("time")? {
                Some((form, place)) => Some(TimeForm::parse(form).map_err(|error| place.fault(error))?),
                None => None,
            },
        })
    }

    /// Applies the steps; `None` when nothing is left. The error says what does not fit.
    pub(super) fn apply(&self, node: Node<'static>) -> Result<Option<Node<'static>>, String> {
        let mut node = node;
        if self.json {
            let text = plain(&node).into_owned();
            let limits = Limits { values_per_event: 1_000_000, ..Limits::default() };
            node = json::parse(&text, &limits).map_err(|fault| fault.message)?.into_owned();
        }
        if let Some(pattern) = &self.matches {
            let text = plain(&node).into_owned();
            let Some(captures) = pattern.captures(&text) else { return Ok(None) };
            let found = captures.get(1).or_else(|| captures.get(0)).map_or("", |found| found.as_str());
            node = Node::Text(found.to_owned().into());
        }
        if let Some(separator) = &self.split {
            let text = plain(&node).into_owned();
            let parts = text.split(separator.as_str()).map(str::trim).filter(|part| !part.is_empty());
            node = Node::List(parts.map(|part| Node::Text(part.to_owned().into())).collect());
        }
        node = self.case(node);
        if let Some(table) = &self.table {
            match table.get(plain(&node).as_ref()).or(self.otherwise.as_ref()) {
                Some(mapped) => node = mapped.clone(),
                None => return Ok(None),
            }
        }
        if matches!(&node, Node::Text(text) if text.is_empty()) {
            return Ok(None);
        }
        self.numeric(node).map(Some)
    }

    fn case(&self, node: Node<'static>) -> Node<'static> {
        match node {
            Node::Text(text) if self.slug => Node::Text(slug(&text).into()),
            Node::Text(text) if self.trim || self.lower || self.upper => {
                let text = if self.trim { text.trim() } else { &text };
                Node::Text(match (self.lower, self.upper) {
                    (true, _) => text.to_lowercase().into(),
                    (_, true) => text.to_uppercase().into(),
                    _ => text.to_owned().into(),
                })
            }
            Node::List(items) => Node::List(items.into_iter().map(|item| self.case(item)).collect()),
            other => other,
        }
    }

    fn numeric(&self, node: Node<'static>) -> Result<Node<'static>, String> {
        let mut node = node;
        if self.boolean {
            let flag = match plain(&node).trim().to_ascii_lowercase().as_str() {
                "1" | "1.0" | "true" | "t" | "yes" | "y" => true,
                "0" | "0.0" | "false" | "f" | "no" | "n" => false,
                other => return Err(format!("{other:.40?} is neither true nor false")),
            };
            return Ok(Node::Bool(flag));
        }
        if self.number || self.multiply.is_some() || self.add.is_some() || self.round {
            let text = plain(&node).trim().to_owned();
            let mut value = None;
            if self.multiply.is_some() || self.add.is_some() || self.round {
                let read = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text));
                let read = read.map_err(|_| format!("{text:.40?} is not a number"))?;
                let scaled = read.checked_mul(self.multiply.unwrap_or(Decimal::ONE));
                let moved = scaled.and_then(|value| value.checked_add(self.add.unwrap_or_default()));
                let moved = moved.ok_or_else(|| format!("{text:.40?} is too large"))?;
                value = Some(if self.round { moved.round() } else { moved }.normalize().to_string());
            }
            let token = value.unwrap_or(text);
            node = match json::parse(&token, &Limits::default()) {
                Ok(number @ Node::Number(_)) => number.into_owned(),
                _ => return Err(format!("{token:.40?} is not a number")),
            };
        }
        Ok(if self.text { Node::Text(plain(&node).into_owned().into()) } else { node })
    }
}

/// Lower case, and `_` for every run of other characters than letters and digits.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c.is_alphanumeric() {
            true => out.push(c),
            false if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            false => {}
        }
    }
    out.trim_end_matches('_').to_owned()
}

fn decimal(section: &Section<'_>, key: &'static str) -> Result<Option<Decimal>, Problem> {
    let Some((value, place)) = section.get(key) else { return Ok(None) };
    let text = plain(&constant(value, &place)?).into_owned();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).map(Some).map_err(|_| place.fault("must be a number"))
}

impl TimeForm {
    /// Reads the word or the pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" | "rfc3339" => Ok(Self::Auto),
            "s" => Ok(Self::Epoch(1)),
            "ms" => Ok(Self::Epoch(1_000)),
            "us" => Ok(Self::Epoch(1_000_000)),
            "ns" => Ok(Self::Epoch(1_000_000_000)),
            pattern if pattern.contains('%') => Ok(Self::Pattern(pattern.to_owned())),
            _ => Err("must be auto, s, ms, us, ns, or a strftime pattern such as %Y-%m-%d".to_owned()),
        }
    }

    /// Returns the microseconds of a written time; they may lie outside of what events accept.
    pub(super) fn micros(&self, text: &str) -> Result<i64, String> {
        let text = text.trim();
        match self {
            Self::Auto => Timestamp::parse("time", text).map(Timestamp::micros).map_err(|problem| problem.detail),
            Self::Epoch(per_second) => {
                let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
                let number = number.map_err(|_| format!("{text:.40?} is not a number of seconds or parts of them"))?;
                let micros =
                    number.checked_mul(Decimal::from(1_000_000)).map(|value| value / Decimal::from(*per_second));
                let micros = micros.and_then(|value| i64::try_from(value.round()).ok());
                micros.ok_or_else(|| format!("{text:.40?} is no time"))
            }
            Self::Pattern(pattern) => {
                let whole = DateTime::parse_from_str(text, pattern).map(|time| time.timestamp_micros());
                let local =
                    || NaiveDateTime::parse_from_str(text, pattern).map(|time| time.and_utc().timestamp_micros());
                let day = || {
                    let day = NaiveDate::parse_from_str(text, pattern)?;
                    Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros())
                };
                whole
                    .or_else(|_| local())
                    .or_else(|_: chrono::ParseError| day())
                    .map_err(|error: chrono::ParseError| format!("{text:.60?} does not look like {pattern:?}: {error}"))
            }
        }
    }
}

//! `when`: which rows make an event.

use partitura_event::Problem;
use regex::Regex;

use super::scope::{Reference, Scope};
use super::section::{Place, Section, Value, items};
use super::template::plain;
use crate::json::Node;

/// All parts must hold.
#[derive(Debug, Default)]
pub(super) struct Condition {
    parts: Vec<(Reference, Test)>,
}

#[derive(Debug)]
enum Test {
    /// It is one of these texts.
    Any(Vec<String>),
    /// It is there, and none of these.
    Not(Vec<String>),
    /// It is there and not empty, or not.
    Present(bool),
    /// It matches.
    Matches(Regex),
    /// It is a number above this.
    Above(f64),
}

impl Condition {
    /// Reads the table of `when`.
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Problem> {
        let mut parts = Vec::new();
        for (key, value, place) in section.members() {
            let reference = Reference::parse(key).map_err(|error| place.fault(error))?;
            parts.push((reference, Test::read(value, &place)?));
        }
        Ok(Self { parts })
    }

    /// Returns true when all parts hold.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> bool {
        self.parts.iter().all(|(reference, test)| test.holds(scope.find(reference).as_deref()))
    }
}

impl Test {
    fn read<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Self, Problem> {
        if value.get_ref().is_array() {
            return texts(value, place).map(Self::Any);
        }
        if !value.get_ref().is_table() {
            return text(value, place).map(|text| Self::Any(vec![text]));
        }
        let section = Section::of(value, place)?;
        let present = section.get("present");
        let not = section.get("not");
        let matches = section.text("matches")?;
        let above = section.get("above");
        section.finish()?;
        match (present, not, matches, above) {
            (Some((value, place)), None, None, None) => {
                value.get_ref().as_bool().map(Self::Present).ok_or_else(|| place.fault("must be true or false"))
            }
            (None, Some((value, place)), None, None) => match value.get_ref().is_array() {
                true => texts(value, &place).map(Self::Not),
                false => text(value, &place).map(|text| Self::Not(vec![text])),
            },
            (None, None, Some((pattern, place)), None) => {
                Regex::new(pattern).map(Self::Matches).map_err(|error| place.fault(error))
            }
            (None, None, None, Some((value, place))) => {
                let number = text(value, &place)?;
                number.parse().map(Self::Above).map_err(|_| place.fault("must be a number"))
            }
            _ => Err(place.fault("must have exactly one of present, not, matches, above")),
        }
    }

    fn holds(&self, found: Option<&Node<'_>>) -> bool {
        let text = found.map(plain);
        match (self, text) {
            (Self::Present(wanted), text) => text.is_some_and(|text| !text.is_empty()) == *wanted,
            (Self::Any(texts), Some(text)) => texts.iter().any(|wanted| *wanted == text),
            (Self::Not(texts), Some(text)) => texts.iter().all(|other| *other != text),
            (Self::Matches(pattern), Some(text)) => pattern.is_match(&text),
            (Self::Above(limit), Some(text)) => text.trim().parse::<f64>().is_ok_and(|number| number > *limit),
            (_, None) => false,
        }
    }
}

fn texts<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Vec<String>, Problem> {
    items(value, place)?.into_iter().map(|(item, place)| text(item, &place)).collect()
}

fn text(value: &Value<'_>, place: &Place<'_>) -> Result<String, Problem> {
    match super::section::constant(value, place)? {
        node @ (Node::Text(_) | Node::Number(_) | Node::Bool(_)) => Ok(plain(&node).into_owned()),
        _ => Err(place.fault("must be a string, a number, true or false")),
    }
}

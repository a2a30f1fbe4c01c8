//! A table of a mapping file, read key by key: what nobody asked for is refused with its line.

use std::cell::RefCell;
use std::collections::BTreeSet;

use partitura_event::problem::nearest;
use partitura_event::{ErrorClass, Issue, Problem};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::json::Node;

/// A value with its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// One table, its place in the file, and the keys that were asked for.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    path: String,
    text: &'t str,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// Where a value stands, for errors.
#[derive(Clone)]
pub(super) struct Place<'t> {
    pub(super) text: &'t str,
    pub(super) path: String,
    pub(super) offset: usize,
}

impl Place<'_> {
    /// Makes the error of this place: `line 12: event[0].id: …`.
    pub(super) fn fault(&self, message: impl std::fmt::Display) -> Problem {
        let offset = self.offset.min(self.text.len());
        let line = self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
        let detail = match self.path.is_empty() {
            true => format!("the mapping, line {line}: {message}"),
            false => format!("the mapping, line {line}, `{}`: {message}", self.path),
        };
        let issue = Issue { path: self.path.clone(), code: "mapping".to_owned(), message: message.to_string() };
        Problem { issues: vec![issue], ..Problem::new(ErrorClass::Invalid, detail).code("mapping") }
    }
}

impl<'t> Section<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, path: &str, text: &'t str) -> Self {
        Self { table, path: path.to_owned(), text, asked: RefCell::default() }
    }

    /// Opens a value as a table.
    pub(super) fn of(value: &'t Value<'t>, place: &Place<'t>) -> Result<Self, Problem> {
        match value.get_ref().as_table() {
            Some(table) => Ok(Self::new(table, &place.path, place.text)),
            None => Err(place.fault(format!("must be a table, this is {}", value.get_ref().type_str()))),
        }
    }

    /// Returns the value of `key` with its place.
    pub(super) fn get(&self, key: &'static str) -> Option<(&'t Value<'t>, Place<'t>)> {
        self.asked.borrow_mut().insert(key);
        let value = self.table.get(key)?;
        Some((value, self.place(key, value)))
    }

    /// Returns the text under `key`.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<(&'t str, Place<'t>)>, Problem> {
        let Some((value, place)) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some((text, place))),
            None => Err(place.fault(format!("must be a string, this is {}", value.get_ref().type_str()))),
        }
    }

    /// Returns the flag under `key`, false when it is absent.
    pub(super) fn flag(&self, key: &'static str) -> Result<bool, Problem> {
        let Some((value, place)) = self.get(key) else { return Ok(false) };
        match value.get_ref().as_bool() {
            Some(flag) => Ok(flag),
            None => Err(place.fault("must be true or false")),
        }
    }

    /// Returns the items of the array under `key`, with their places.
    pub(super) fn list(&self, key: &'static str) -> Result<Option<Vec<(&'t Value<'t>, Place<'t>)>>, Problem> {
        let Some((value, place)) = self.get(key) else { return Ok(None) };
        items(value, &place).map(Some)
    }

    /// Returns all members with their places; every key counts as asked for.
    pub(super) fn members(&self) -> Vec<(&'t str, &'t Value<'t>, Place<'t>)> {
        let member = |(key, value): (&'t Spanned<std::borrow::Cow<'t, str>>, &'t Value<'t>)| {
            let key: &'t str = key.get_ref();
            (key, value, self.place(key, value))
        };
        self.table.iter().map(member).collect()
    }

    /// Refuses keys that were never asked for.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        let asked = self.asked.borrow();
        for (key, value, place) in self.members() {
            if !asked.contains(key) {
                let _ = value;
                let near = nearest(key, asked.iter().copied(), 2);
                let known: Vec<&str> = asked.iter().copied().collect();
                let problem = place.fault(format!("unknown key; known here are {}", known.join(", ")));
                return Err(Problem { suggestions: near, ..problem });
            }
        }
        Ok(())
    }

    fn place(&self, key: &str, value: &Value<'t>) -> Place<'t> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Place { text: self.text, path, offset: value.span().start }
    }
}

/// Returns the items of an array with their places.
pub(super) fn items<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Vec<(&'t Value<'t>, Place<'t>)>, Problem> {
    let Some(array) = value.get_ref().as_array() else {
        return Err(place.fault(format!("must be an array, this is {}", value.get_ref().type_str())));
    };
    let item = |(n, item): (usize, &'t Value<'t>)| {
        let path = format!("{}[{n}]", place.path);
        (item, Place { text: place.text, path, offset: item.span().start })
    };
    Ok(array.iter().enumerate().map(item).collect())
}

/// Turns a value of the mapping into JSON, numbers with their digits.
pub(super) fn constant(value: &Value<'_>, place: &Place<'_>) -> Result<Node<'static>, Problem> {
    match value.get_ref() {
        DeValue::String(text) => Ok(Node::Text(text.to_string().into())),
        DeValue::Boolean(flag) => Ok(Node::Bool(*flag)),
        DeValue::Integer(number) if number.radix() == 10 => Ok(digits(number.as_str())),
        DeValue::Float(number)
            if number.as_str().bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E' | b'_')) =>
        {
            Ok(digits(number.as_str()))
        }
        DeValue::Array(_) => {
            let items = items(value, place)?;
            Ok(Node::List(items.into_iter().map(|(item, place)| constant(item, &place)).collect::<Result<_, _>>()?))
        }
        DeValue::Table(table) => {
            let mut members = Vec::new();
            for (key, value) in table.iter() {
                members.push((key.get_ref().to_string().into(), constant(value, place)?));
            }
            Ok(Node::Object(members))
        }
        other => Err(place.fault(format!("a constant of type {} is not supported", other.type_str()))),
    }
}

/// TOML allows `+1` and `1_000`; JSON does not.
fn digits(token: &str) -> Node<'static> {
    Node::Number(token.trim_start_matches('+').replace('_', "").into())
}

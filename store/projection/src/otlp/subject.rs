//! [`Subject`]: one span or log event, with everything around it that says what it is.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use super::any::{Any, Attributes};
use super::record::{LogRecord, Resource, Scope, Span, SpanEvent};

/// One span or log event under translation.
pub struct Subject<'a> {
    /// Its own attributes.
    pub attributes: &'a Attributes,
    /// Those of its resource.
    pub resource: &'a Attributes,
    /// The library that emitted it.
    pub scope: &'a Scope,
    /// Name of the span or event.
    pub name: &'a str,
    /// The span, unless it is a log event.
    pub span: Option<&'a Span>,
    /// The log event, unless it is a span.
    pub log: Option<&'a LogRecord>,
    used: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Subject<'a> {
    /// Looks at a span.
    pub fn of_span(resource: &'a Resource, scope: &'a Scope, span: &'a Span) -> Self {
        Self {
            attributes: &span.attributes,
            resource: &resource.attributes,
            scope,
            name: &span.name,
            span: Some(span),
            log: None,
            used: RefCell::default(),
        }
    }

    /// Looks at a log record.
    pub fn of_log(resource: &'a Resource, scope: &'a Scope, log: &'a LogRecord) -> Self {
        let named = || log.attributes.get("event.name").or(Some(&log.body));
        let text = |value: &'a Any| if let Any::Text(text) = value { text.as_str() } else { "" };
        let name = if log.event_name.is_empty() { named().map_or("", text) } else { &log.event_name };
        Self {
            attributes: &log.attributes,
            resource: &resource.attributes,
            scope,
            name,
            span: None,
            log: Some(log),
            used: RefCell::default(),
        }
    }

    /// Returns `service.name` of the resource.
    pub fn service(&self) -> &'a str {
        match self.resource.get("service.name") {
            Some(Any::Text(name)) => name,
            _ => "",
        }
    }

    /// Returns the first attribute of these names that is not empty, and counts it as read.
    pub fn any(&self, names: &[&str]) -> Option<&'a Any> {
        names.iter().find_map(|name| {
            let (known, value) = self.attributes.below(name).next().filter(|(known, _)| known == name)?;
            if value.is_empty() {
                return None;
            }
            self.used.borrow_mut().insert(known);
            Some(value)
        })
    }

    /// Returns whether one of these attributes is there.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.attributes.get(name).is_some())
    }

    /// Returns whether an attribute's name begins so.
    pub fn has_below(&self, prefix: &str) -> bool {
        self.attributes.below(prefix).next().is_some()
    }

    /// Returns the first text, or number as text.
    pub fn text(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        let texts = names.iter().filter_map(|name| self.any(&[*name]).and_then(Any::text));
        texts.map(unquoted).find(|text| !text.trim().is_empty())
    }

    /// Returns the first whole number.
    pub fn int(&self, names: &[&str]) -> Option<i64> {
        names.iter().find_map(|name| self.any(&[*name]).and_then(Any::int))
    }

    /// Returns the first whole number that is not negative.
    pub fn count(&self, names: &[&str]) -> Option<i64> {
        self.int(names).filter(|count| *count >= 0)
    }

    /// Returns the first number.
    pub fn float(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.any(&[*name]).and_then(Any::float))
    }

    /// Returns the first text of its own attributes, else of the resource's.
    pub fn own_or_resource(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        let of_resource = || names.iter().find_map(|name| self.resource.get(name).and_then(Any::text));
        self.text(names).or_else(of_resource).filter(|text| !text.trim().is_empty())
    }

    /// Counts attributes below a prefix as read.
    pub fn read_below(&self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Any)> {
        let found: Vec<_> = self.attributes.below(prefix).collect();
        self.used.borrow_mut().extend(found.iter().map(|(name, _)| *name));
        found.into_iter()
    }

    /// Returns the attributes that nobody has read.
    pub fn unread(&self) -> impl Iterator<Item = (&'a str, &'a Any)> {
        let used = self.used.borrow().clone();
        self.attributes.all().filter(move |(name, _)| !used.contains(name))
    }

    /// Returns what happened during the span.
    pub fn events(&self) -> &'a [SpanEvent] {
        self.span.map_or(&[], |span| &span.events)
    }
}

/// Some exporters write every attribute as JSON: a text then stands in quotes.
fn unquoted(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() < 2 || !text.starts_with('"') || !text.ends_with('"') {
        return text;
    }
    match serde_json::from_str::<String>(&text) {
        Ok(inner) => Cow::Owned(inner),
        Err(_) => text,
    }
}

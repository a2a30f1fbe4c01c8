//! Texts with references in braces: `{agent}/{/run/id}`; `{{` and `}}` stand for braces.

use std::borrow::Cow;

use super::scope::{Reference, Scope};
use crate::json::Node;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Reference(Reference, String),
}

impl Template {
    /// Parses `text`; the error says what is wrong with which brace.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err("a `}` without its `{`; write }} for the character itself".to_owned());
            }
            let end = rest.find('}').ok_or("a `{` without its `}`; write {{ for the character itself")?;
            let reference = Reference::parse(&rest[..end])?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Reference(reference, rest[..end].to_owned()));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// Returns the value: of a single reference whatever it names, else a text. The error is the first
    /// reference that names nothing.
    pub(super) fn value<'r>(&'r self, scope: &Scope<'r>) -> Result<Cow<'r, Node<'static>>, &'r str> {
        if let [Part::Reference(reference, name)] = self.parts.as_slice() {
            return scope.find(reference).ok_or(name);
        }
        self.text(scope).map(|text| Cow::Owned(Node::Text(text.into())))
    }

    /// Returns the value as a text.
    pub(super) fn text<'r>(&'r self, scope: &Scope<'r>) -> Result<String, &'r str> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Reference(reference, name) => out.push_str(&plain(&*scope.find(reference).ok_or(name.as_str())?)),
            }
        }
        Ok(out)
    }
}

/// Writes a value as a text: strings as they are, everything else as JSON.
pub(super) fn plain<'n>(node: &'n Node<'_>) -> Cow<'n, str> {
    match node {
        Node::Text(text) => Cow::Borrowed(text),
        Node::Number(token) => Cow::Borrowed(token),
        other => Cow::Owned(other.compact()),
    }
}

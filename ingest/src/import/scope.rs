//! What a template can speak of while one event is made: the row, the current item, its places.

use std::borrow::Cow;

use super::rows::Row;
use crate::json::Node;

/// The row and the item of `each` that an event is made of.
#[derive(Clone)]
pub(super) struct Scope<'r> {
    pub(super) row: &'r Row,
    /// The item, or the row's own value without `each`.
    pub(super) item: &'r Node<'static>,
    /// Place of the item in its array, from 0.
    pub(super) index: usize,
    /// What the wildcards of `each` matched.
    pub(super) captures: Vec<String>,
}

/// One reference: where to look, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A member of the item, by its name.
    Name(String),
    /// A JSON pointer into the item; empty for the item itself.
    Pointer(String),
    /// The same of the whole row.
    RowName(String),
    /// The same of the whole row.
    RowPointer(String),
    /// Place in the array of `each`.
    Index,
    /// The n-th wildcard of `each`, from 1.
    Capture(usize),
    /// Number of the row in its file, from 1.
    RowNumber,
    /// Hash of the item, 32 hexadecimal digits.
    Hash,
    /// Name of the file without folder and extension.
    File,
}

impl Reference {
    /// Reads what stands between the braces.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (row, rest) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        match (row, rest) {
            (_, "") => Err("`{}` names nothing; write {name}, {/json/pointer} or {^name}".to_owned()),
            (false, "#") => Ok(Self::Index),
            (false, ".") => Ok(Self::Pointer(String::new())),
            (true, ".") => Ok(Self::RowPointer(String::new())),
            (false, "*") => Ok(Self::Capture(1)),
            (false, "@row") => Ok(Self::RowNumber),
            (false, "@hash") => Ok(Self::Hash),
            (false, "@file") => Ok(Self::File),
            (false, other) if other.starts_with('@') => Err(format!("`{{{other}}}`: known are @row, @hash and @file")),
            (false, other) if other.starts_with('*') => match other[1..].parse() {
                Ok(n @ 1..=9) => Ok(Self::Capture(n)),
                _ => Err(format!("`{{{other}}}`: wildcards are *1 to *9")),
            },
            (false, pointer) if pointer.starts_with('/') => Ok(Self::Pointer(pointer.to_owned())),
            (true, pointer) if pointer.starts_with('/') => Ok(Self::RowPointer(pointer.to_owned())),
            (false, name) => Ok(Self::Name(name.to_owned())),
            (true, name) => Ok(Self::RowName(name.to_owned())),
        }
    }
}

impl<'r> Scope<'r> {
    /// Returns what `reference` names; null counts as absent.
    pub(super) fn find(&self, reference: &Reference) -> Option<Cow<'r, Node<'static>>> {
        let number = |n: usize| Some(Cow::Owned(Node::Number(n.to_string().into())));
        let found = match reference {
            Reference::Name(name) => self.item.get(name).map(Cow::Borrowed),
            Reference::RowName(name) => self.row.value.get(name).map(Cow::Borrowed),
            Reference::Pointer(pointer) => self.item.pointer(pointer).map(Cow::Borrowed),
            Reference::RowPointer(pointer) => self.row.value.pointer(pointer).map(Cow::Borrowed),
            Reference::Index => number(self.index),
            Reference::Capture(n) => self.captures.get(n - 1).map(|text| Cow::Owned(Node::Text(text.clone().into()))),
            Reference::RowNumber => Some(Cow::Owned(Node::Number(self.row.number.to_string().into()))),
            Reference::Hash => Some(Cow::Owned(Node::Text(hash(self.item).into()))),
            Reference::File => Some(Cow::Owned(Node::Text(self.row.file_stem().to_owned().into()))),
        };
        found.filter(|node| **node != Node::Null)
    }
}

fn hash(node: &Node<'_>) -> String {
    format!("{:?}", partitura_event::Fingerprint::of(&node.canonical()))
}

//! The tree of one JSON value, in the order and with the number spelling of the text.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was written: an integer that fits 64 bits, or a finite float.
    Number(Cow<'a, str>),
    /// A string, its escapes resolved.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object; no two keys are the same.
    Object(Vec<Member<'a>>),
}

/// One member of an object.
pub type Member<'a> = (Cow<'a, str>, Node<'a>);

impl<'a> Node<'a> {
    /// Returns the member `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        match self {
            Node::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the member of an object, or the item of an array by its number.
    pub fn member(&self, key: &str) -> Option<&Node<'a>> {
        match self {
            Node::List(items) => key.parse::<usize>().ok().and_then(|n| items.get(n)),
            other => other.get(key),
        }
    }

    /// Returns what a JSON pointer (RFC 6901) leads to.
    pub fn pointer(&self, pointer: &str) -> Option<&Node<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut parts = pointer.strip_prefix('/')?.split('/');
        parts.try_fold(self, |node, part| match part.contains('~') {
            true => node.member(&part.replace("~1", "/").replace("~0", "~")),
            false => node.member(part),
        })
    }

    /// Returns the text of a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Names the kind of value, with its article, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "a boolean",
            Node::Number(_) => "a number",
            Node::Text(_) => "a string",
            Node::List(_) => "an array",
            Node::Object(_) => "an object",
        }
    }

    /// Returns the same value as serde sees it; floats are the nearest double.
    pub fn to_value(&self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Bool(flag) => Value::Bool(*flag),
            Node::Number(token) => number(token).map_or(Value::Null, Value::Number),
            Node::Text(text) => Value::String(text.to_string()),
            Node::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Node::Object(members) => Value::Object(
                members.iter().map(|(key, value)| (key.to_string(), value.to_value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// Returns a copy that borrows nothing.
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Node::Null => Node::Null,
            Node::Bool(flag) => Node::Bool(flag),
            Node::Number(token) => Node::Number(Cow::Owned(token.into_owned())),
            Node::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Node::List(items) => Node::List(items.into_iter().map(Self::into_owned).collect()),
            Node::Object(members) => Node::Object(
                members.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned())).collect(),
            ),
        }
    }
}

/// Returns a JSON number as serde sees it; a float is the nearest double.
pub(crate) fn number(token: &str) -> Option<Number> {
    if let Ok(whole) = token.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = token.parse::<u64>() {
        return Some(whole.into());
    }
    token.parse::<f64>().ok().and_then(Number::from_f64)
}

impl<'a> From<&'a Value> for Node<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Node::Null,
            Value::Bool(flag) => Node::Bool(*flag),
            Value::Number(number) => Node::Number(Cow::Owned(number.to_string())),
            Value::String(text) => Node::Text(Cow::Borrowed(text)),
            Value::Array(items) => Node::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => Node::Object(
                members.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), Self::from(value))).collect(),
            ),
        }
    }
}

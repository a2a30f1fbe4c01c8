//! [`Any`] and [`Attributes`]: values of OTLP, and names for them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

/// A value of any type.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Any {
    /// Nothing.
    #[default]
    Empty,
    /// Text.
    Text(String),
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Number; never infinite.
    Double(f64),
    /// List.
    List(Vec<Any>),
    /// Names and values.
    Map(Vec<(String, Any)>),
}

impl Any {
    /// Returns a text, a number or a boolean as text.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Bool(flag) => Some(Cow::Owned(flag.to_string())),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Double(number) => Some(Cow::Owned(number.to_string())),
            Self::Empty | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Returns a whole number, also one that was sent as text or as `12.0`.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            other => {
                let number = other.float()?;
                (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
            }
        }
    }

    /// Returns a number, also one that was sent as text.
    pub fn float(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// Returns the value as JSON. Text that is JSON itself, as many SDKs send it, is read.
    pub fn json(&self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Text(text) => parsed(text).unwrap_or_else(|| Value::from(text.as_str())),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) => Value::from(*number),
            Self::Double(number) => Value::from(*number),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), value.json())).collect())
            }
        }
    }

    /// Returns whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(members) => members.is_empty(),
            _ => false,
        }
    }
}

/// Reads a text that is a JSON object, list or text.
pub fn parsed(text: &str) -> Option<Value> {
    let text = text.trim_ascii();
    let is_json = [('{', '}'), ('[', ']'), ('"', '"')].iter().any(|(a, z)| text.starts_with(*a) && text.ends_with(*z));
    if is_json { serde_json::from_str(text).ok() } else { None }
}

/// The form in OTLP/JSON; its members exclude each other.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Form {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Value>,
    double_value: Option<Value>,
    array_value: Option<Items>,
    kvlist_value: Option<Members>,
    bytes_value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Items {
    values: Vec<Any>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    values: Vec<KeyValue>,
}

#[derive(Deserialize)]
struct KeyValue {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Any,
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Form::deserialize(deserializer).map(Self::from)
    }
}

impl From<Form> for Any {
    fn from(form: Form) -> Self {
        let number = |value: Value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let whole = |value: Value| match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let text = form.string_value.or(form.bytes_value).map(Self::Text);
        let list = || form.array_value.map(|items| Self::List(items.values));
        let members = |map: Members| Self::Map(map.values.into_iter().map(|item| (item.key, item.value)).collect());
        text.or(form.bool_value.map(Self::Bool))
            .or_else(|| form.int_value.and_then(whole).map(Self::Int))
            .or_else(|| form.double_value.and_then(number).filter(|number| number.is_finite()).map(Self::Double))
            .or_else(list)
            .or_else(|| form.kvlist_value.map(members))
            .unwrap_or_default()
    }
}

/// Attributes, sorted by name. Of two with one name the first counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(String, Any)>);

impl Attributes {
    /// Returns the value of a name, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&Any> {
        let index = self.0.partition_point(|(known, _)| known.as_str() < name);
        let (known, value) = self.0.get(index)?;
        (known == name && !value.is_empty()).then_some(value)
    }

    /// Returns those whose names begin with `prefix`, sorted.
    pub fn below<'s, 'p>(&'s self, prefix: &'p str) -> impl Iterator<Item = (&'s str, &'s Any)> + use<'s, 'p> {
        let from = self.0.partition_point(|(known, _)| known.as_str() < prefix);
        let rest = self.0[from..].iter().take_while(move |(name, _)| name.starts_with(prefix));
        rest.map(|(name, value)| (name.as_str(), value))
    }

    /// Returns all, sorted by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Any)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Vec::<KeyValue>::deserialize(deserializer)?;
        let mut sorted: Vec<_> = given.into_iter().map(|item| (item.key, item.value)).collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.dedup_by(|later, earlier| later.0 == earlier.0);
        Ok(Self(sorted))
    }
}

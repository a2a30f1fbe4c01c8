//! [`Data`]: the fields of one event, split once and read on demand.
//!
//! The top level of the JSON object is split without building a tree; a field is decoded when a fold
//! asks for it. The log holds validated events, so a field of the wrong type is an event from another
//! version or a defect: it is an error here, and parks the event.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use partitura_event::{Amount, ErrorClass, Problem, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::otlp::{Translation, Translator};

type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The members of a JSON object, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Data<'a> {
    members: Members<'a>,
    /// Those of the member `attributes`: a client may put what has no field there itself.
    attributes: Members<'a>,
    /// What a raw OpenTelemetry record means, once a fold has asked.
    translation: OnceLock<Result<Translation, Problem>>,
}

impl<'a> Data<'a> {
    /// An event without fields.
    pub const fn empty() -> Self {
        Self { members: Vec::new(), attributes: Vec::new(), translation: OnceLock::new() }
    }

    /// Splits an event's data.
    pub fn split(json: &'a str) -> Result<Self, Problem> {
        let mut data: Self = serde_json::from_str(json).map_err(|error| {
            Problem::new(ErrorClass::Invalid, format!("the event's data is not a JSON object: {error}"))
                .code("data_unreadable")
        })?;
        let nested = |(name, raw): &(Cow<'a, str>, &'a RawValue)| name == "attributes" && raw.get().starts_with('{');
        if let Some(index) = data.members.iter().position(nested) {
            let (_, raw) = data.members.remove(index);
            data.attributes = Self::split(raw.get())?.into_members();
        }
        Ok(data)
    }

    fn into_members(self) -> Members<'a> {
        self.members.into_iter().chain(self.attributes).collect()
    }

    /// Returns how many members there are.
    pub const fn count(&self) -> usize {
        self.members.len()
    }

    /// Returns the members that are not null.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().filter(|(_, raw)| raw.get() != "null").map(|(name, raw)| (name.as_ref(), *raw))
    }

    /// Returns the client's own attributes that are not null, as JSON.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.attributes.iter().map(|(name, raw)| (name.as_ref(), raw.get())).filter(|(_, json)| *json != "null")
    }

    /// Returns the JSON of a field; null is the same as absent.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.members.iter().find(|(member, _)| member == name);
        found.map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")
    }

    /// Returns a text. A number or a boolean is given as it was written.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Problem> {
        self.raw(name).map(|raw| text(name, raw)).transpose()
    }

    /// Returns a text that must be there.
    pub fn need(&self, name: &str) -> Result<Cow<'a, str>, Problem> {
        let found = self.text(name)?.filter(|text| !text.trim().is_empty());
        found.ok_or_else(|| {
            Problem::invalid_field(&format!("data.{name}"), "missing", format!("the event has no `{name}`"))
        })
    }

    /// Returns a whole number; `12.0` is one too.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.raw(name).map(|raw| int(name, raw)).transpose()
    }

    /// Returns a number.
    pub fn float(&self, name: &str) -> Result<Option<f64>, Problem> {
        self.raw(name).map(|raw| float(name, raw)).transpose()
    }

    /// Returns a time in microseconds since 1970: RFC 3339, or a number of s, ms, µs or ns.
    pub fn time(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.raw(name).map(|raw| time(name, raw)).transpose()
    }

    /// Returns an amount in units of 10^-12, from a decimal text or a number.
    pub fn money(&self, name: &str) -> Result<Option<i128>, Problem> {
        self.raw(name).map(|raw| money(name, raw)).transpose()
    }

    /// Returns a list of texts; a single text is a list of one.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<Cow<'a, str>>>, Problem> {
        self.raw(name).map(|raw| texts(name, raw)).transpose()
    }

    /// Returns what a raw OpenTelemetry record means. It is translated for the first fold that asks, and kept for
    /// the others, which all have one translator.
    pub fn translation(&self, translator: &Translator, time: i64) -> Result<&Translation, Problem> {
        let translated = self.translation.get_or_init(|| translator.translate(self, time));
        translated.as_ref().map_err(Problem::clone)
    }

    /// Decodes a field into a type of its own.
    pub fn typed<T: DeserializeOwned>(&self, name: &str, wanted: &str) -> Result<Option<T>, Problem> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong(name, raw, wanted))
    }
}

/// Reads a text; a number or a boolean as it was written.
pub fn text<'a>(name: &str, raw: &'a RawValue) -> Result<Cow<'a, str>, Problem> {
    text_of(raw).ok_or_else(|| wrong(name, raw, "a text"))
}

/// Reads a whole number; `12.0` is one too.
pub fn int(name: &str, raw: &RawValue) -> Result<i64, Problem> {
    let whole = || decode::<f64>(raw).filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64);
    raw.get().parse().ok().or_else(whole).ok_or_else(|| wrong(name, raw, "a whole number"))
}

/// Reads a number.
pub fn float(name: &str, raw: &RawValue) -> Result<f64, Problem> {
    decode::<f64>(raw).filter(|n| n.is_finite()).ok_or_else(|| wrong(name, raw, "a number"))
}

/// Reads true or false.
pub fn boolean(name: &str, raw: &RawValue) -> Result<bool, Problem> {
    decode(raw).ok_or_else(|| wrong(name, raw, "true or false"))
}

/// Reads a time in microseconds since 1970.
pub fn time(name: &str, raw: &RawValue) -> Result<i64, Problem> {
    Timestamp::parse(name, &text(name, raw)?).map(|time| time.micros())
}

/// Reads an amount in units of 10^-12.
pub fn money(name: &str, raw: &RawValue) -> Result<i128, Problem> {
    Amount::parse(name, &text(name, raw)?).map(|amount| amount.scaled())
}

/// Reads a list of texts; a single text is a list of one.
pub fn texts<'a>(name: &str, raw: &'a RawValue) -> Result<Vec<Cow<'a, str>>, Problem> {
    if !raw.get().starts_with('[') {
        return Ok(vec![text(name, raw)?]);
    }
    let items: Option<Vec<&'a RawValue>> = decode(raw);
    let texts: Option<Vec<_>> = items.and_then(|items| items.into_iter().map(text_of).collect());
    texts.ok_or_else(|| wrong(name, raw, "a list of texts"))
}

fn decode<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Returns a text without quotes and escapes, or a number or boolean as it is written.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => {
            let inner = &json[1..json.len() - 1];
            if inner.contains('\\') { decode::<String>(raw).map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
        }
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

fn wrong(name: &str, raw: &RawValue, wanted: &str) -> Problem {
    let given: String = raw.get().chars().take(40).collect();
    Problem::invalid_field(&format!("data.{name}"), "type", format!("`{name}` = {given} is not {wanted}"))
}

impl<'de: 'a, 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Data<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((name, raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, raw));
                }
                Ok(Data { members, ..Data::default() })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's name, borrowed unless it has escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

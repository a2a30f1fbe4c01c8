//! [`Value`]: one cell of a row, read from an event or kept in a register.

use std::borrow::Cow;

/// A value that is there; what is not there is `None` around it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, words, ids and JSON.
    Text(Cow<'a, str>),
    /// Whole number.
    Int(i64),
    /// Number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Microseconds since 1970.
    Time(i64),
    /// An amount.
    Money(Money),
    /// List of texts.
    Texts(Vec<Cow<'a, str>>),
    /// List of numbers.
    Floats(Vec<f64>),
    /// List of structs; the members in the order of the column's fields.
    Structs(Vec<Vec<Option<Value<'a>>>>),
}

/// An amount in units of 10^-12, in halves: a whole one would align every value to 16 bytes, and there are
/// dozens of values to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    high: i64,
    low: u64,
}

impl From<i128> for Money {
    fn from(scaled: i128) -> Self {
        Self { high: (scaled >> 64) as i64, low: scaled as u64 }
    }
}

impl From<Money> for i128 {
    fn from(money: Money) -> Self {
        Self::from(money.high) << 64 | Self::from(money.low)
    }
}

impl<'a> Value<'a> {
    /// Makes an amount of units of 10^-12.
    pub fn money(scaled: i128) -> Self {
        Self::Money(scaled.into())
    }

    /// Makes a text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the microseconds of a time.
    pub fn as_time(&self) -> Option<i64> {
        match self {
            Self::Time(micros) => Some(*micros),
            _ => None,
        }
    }

    /// Returns the same value, borrowed.
    pub fn by_ref(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Texts(texts) => Value::Texts(texts.iter().map(|text| Cow::Borrowed(text.as_ref())).collect()),
            Self::Structs(rows) => Value::Structs(
                rows.iter().map(|row| row.iter().map(|cell| cell.as_ref().map(Value::by_ref)).collect()).collect(),
            ),
            Self::Floats(numbers) => Value::Floats(numbers.clone()),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Time(micros) => Value::Time(*micros),
            Self::Money(scaled) => Value::Money(*scaled),
        }
    }

    /// Copies what is borrowed from the event.
    pub fn into_owned(self) -> Value<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Text(text) => Value::Text(own(text)),
            Self::Int(number) => Value::Int(number),
            Self::Float(number) => Value::Float(number),
            Self::Bool(flag) => Value::Bool(flag),
            Self::Time(micros) => Value::Time(micros),
            Self::Money(scaled) => Value::Money(scaled),
            Self::Texts(texts) => Value::Texts(texts.into_iter().map(own).collect()),
            Self::Floats(numbers) => Value::Floats(numbers),
            Self::Structs(rows) => Value::Structs(
                rows.into_iter().map(|row| row.into_iter().map(|cell| cell.map(Value::into_owned)).collect()).collect(),
            ),
        }
    }
}

//! The static description of one field, from which schemas and the reference are made.

/// One field of a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldSpec {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it may be.
    pub ty: FieldType,
    /// Whether every kind of this shape needs it (a kind may need more: `KindSpec::is_required`).
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

/// What a field may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldType {
    /// An id: text of at most 512 bytes, or a whole number; compared case-insensitively.
    Id,
    /// A short text (at most 512 bytes, no control characters), or a whole number.
    Name,
    /// A text of any length, without NUL.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number from 0.
    Count,
    /// A whole number from 1.
    Positive,
    /// A finite number.
    Number,
    /// A finite number from 0.
    Measure,
    /// A number from 0 to 1.
    Fraction,
    /// A number from 0 to 100.
    Percent,
    /// 0 to 4, or a name.
    Priority,
    /// A decimal in text, or a number.
    Amount,
    /// A decimal in text, or a number, from 0.
    Price,
    /// An ISO 4217 code.
    Currency,
    /// RFC 3339 text, or epoch seconds, milliseconds, microseconds or nanoseconds.
    Time,
    /// A length of time: `90s`, `15m`, `24h`, `7d`, `2w`, or seconds.
    Span,
    /// A day, month, quarter, year or interval of the calendar.
    Period,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object of short values, or a list of names.
    Labels,
    /// A text, or any JSON (a list of chat messages).
    Content,
    /// A condition over outcomes and artifacts.
    Condition,
    /// A JSON object.
    Object,
    /// A list of at most 1,000 of these.
    List(&'static FieldType),
    /// An object with these fields.
    Record(&'static [FieldSpec]),
}

impl FieldType {
    /// Returns the phrase used in messages and in the reference: "a whole number from 0".
    pub fn phrase(&self) -> String {
        match self {
            Self::Id => "an id (text or whole number)".to_owned(),
            Self::Name => "a short text".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Count => "a whole number from 0".to_owned(),
            Self::Positive => "a whole number from 1".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Measure => "a number from 0".to_owned(),
            Self::Fraction => "a number from 0 to 1".to_owned(),
            Self::Percent => "a number from 0 to 100".to_owned(),
            Self::Priority => "a priority (0–4, low, normal, high, urgent or critical)".to_owned(),
            Self::Amount => "an amount (decimal text or number)".to_owned(),
            Self::Price => "an amount from 0 (decimal text or number)".to_owned(),
            Self::Currency => "a currency code".to_owned(),
            Self::Time => "a time (RFC 3339, or epoch s, ms, µs, ns)".to_owned(),
            Self::Span => "a length of time (`90s`, `15m`, `24h`, `7d`, or seconds)".to_owned(),
            Self::Period => "a period (`2026-01-05`, `2026-01`, `2026-Q1`, `2026`, or `start/end`)".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Labels => "labels (an object of short values, or a list of names)".to_owned(),
            Self::Content => "a text or any JSON".to_owned(),
            Self::Condition => "a condition over outcomes and artifacts".to_owned(),
            Self::Object => "an object".to_owned(),
            Self::List(item) => format!("a list of: {}", item.phrase()),
            Self::Record(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                format!("an object with {}", names.join(", "))
            }
        }
    }
}

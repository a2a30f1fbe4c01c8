//! Numbers as fields. JSON cannot say NaN or infinity, and what overflows is refused by the JSON reader.

use std::num::NonZeroU64;

use serde_json::Value;

use super::finding::{Findings, Path};
use super::shape::FieldValue;
use super::spec::FieldType;
use super::text::told;
use crate::json::Node;
use crate::money::Amount;

/// Largest whole number that tables hold (`Int64`).
const MAX_COUNT: u64 = i64::MAX as u64;

/// Whole numbers may be written `12.0`, as many tools do, up to the last float that is exact.
const MAX_EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

fn whole(value: &Node<'_>, least: u64, at: &Path<'_>, found: &mut Findings) -> Option<u64> {
    let Node::Number(token) = value else {
        found.wrong_type(at, &format!("a whole number from {least}"), value);
        return None;
    };
    let exact = token.parse::<u64>().ok().or_else(|| {
        let float = token.parse::<f64>().ok()?;
        (float.fract() == 0.0 && (0.0..=MAX_EXACT_FLOAT).contains(&float)).then_some(float as u64)
    });
    let count = exact.filter(|count| (least..=MAX_COUNT).contains(count));
    if count.is_none() {
        found.issue(at, "range", |path| {
            format!("`{path}` = {token:.40} must be a whole number from {least} to {MAX_COUNT}")
        });
    }
    count
}

impl FieldValue for u64 {
    const TYPE: FieldType = FieldType::Count;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        whole(value, 0, at, found)
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl FieldValue for NonZeroU64 {
    const TYPE: FieldType = FieldType::Positive;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        whole(value, 1, at, found).and_then(Self::new)
    }

    fn write(&self) -> Value {
        Value::from(self.get())
    }
}

fn number(value: &Node<'_>, least: f64, most: f64, at: &Path<'_>, found: &mut Findings) -> Option<f64> {
    let float = match value {
        Node::Number(token) => token.parse::<f64>().ok(),
        _ => None,
    };
    let Some(float) = float else {
        found.wrong_type(at, "a number", value);
        return None;
    };
    if !float.is_finite() || float < least || float > most {
        found.issue(at, "range", |path| match most.is_finite() {
            true => format!("`{path}` = {float} must be from {least} to {most}"),
            false => format!("`{path}` = {float} must be {least} or more"),
        });
        return None;
    }
    // -0 and 0 are one value, and must be one text.
    Some(if float == 0.0 { 0.0 } else { float })
}

/// Writes whole numbers without a point, so that `1` and `1.0` have one canonical form.
fn canonical(float: f64) -> Value {
    if float.fract() == 0.0 && float.abs() <= MAX_EXACT_FLOAT { Value::from(float as i64) } else { Value::from(float) }
}

impl FieldValue for f64 {
    const TYPE: FieldType = FieldType::Number;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        number(value, f64::NEG_INFINITY, f64::INFINITY, at, found)
    }

    fn write(&self) -> Value {
        canonical(*self)
    }
}

macro_rules! bounded {
    ($($(#[doc = $doc:literal])+ $name:ident = $least:literal..=$most:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Returns the number.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl FieldValue for $name {
            const TYPE: FieldType = FieldType::$name;

            fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
                number(value, $least, $most, at, found).map(Self)
            }

            fn write(&self) -> Value {
                canonical(self.0)
            }
        }
    )+};
}

bounded! {
    /// A finite number from 0: minutes, milliseconds, points, load.
    Measure = 0.0..=f64::INFINITY;
    /// A number from 0 to 1.
    Fraction = 0.0..=1.0;
    /// A number from 0 to 100.
    Percent = 0.0..=100.0;
}

impl FieldValue for Amount {
    const TYPE: FieldType = FieldType::Amount;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        match value {
            Node::Text(text) | Node::Number(text) => told(at, found, |path| Self::parse(path, text)),
            other => {
                found.wrong_type(at, "an amount (decimal text or number)", other);
                None
            }
        }
    }

    fn write(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// An amount that is not negative: a price, a cost, a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Amount);

impl Price {
    /// Returns the amount.
    pub const fn amount(self) -> Amount {
        self.0
    }
}

impl FieldValue for Price {
    const TYPE: FieldType = FieldType::Price;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let amount = Amount::read(value, at, found)?;
        if amount < Amount::ZERO {
            found.issue(at, "range", |path| format!("`{path}` = {amount} must not be negative"));
            return None;
        }
        Some(Self(amount))
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

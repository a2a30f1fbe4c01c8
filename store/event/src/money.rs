//! Money: exact decimals and a currency, never a float.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::problem::Problem;

/// Digits after the point that tables keep (`Decimal128(38, 12)`): a price per token has nine.
pub const SCALE: u32 = 12;

/// Digits that an amount may have before the point.
const WHOLE_DIGITS: i64 = 15;

/// Splits `-12.5e-3` into sign, digits before and behind the point, and exponent; `None` when it is no number.
fn split(text: &str) -> Option<(bool, &str, &str, i64)> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse().ok()?),
        None => (text, 0),
    };
    let (negative, bare) = digits.strip_prefix('-').map_or((false, digits), |bare| (true, bare));
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction)).then_some((negative, whole, fraction, exponent))
}

/// Returns the number in units of 10^-[`SCALE`], rounded half to even; `None` when it is too large.
fn scaled(whole: &str, fraction: &str, exponent: i64) -> Option<i128> {
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = i64::try_from(all.len() - digits.len()).ok()?;
    let before_point = i64::try_from(whole.len()).ok()?.checked_sub(leading)?.saturating_add(exponent);
    let Ok(kept) = usize::try_from(before_point.saturating_add(i64::from(SCALE))) else { return Some(0) };
    if digits.is_empty() {
        return Some(0);
    }
    if before_point > WHOLE_DIGITS {
        return None;
    }
    let (head, rest) = digits.split_at(kept.min(digits.len()));
    let floor: i128 = format!("0{head:0<kept$}").parse().ok()?;
    let half_up = match rest.as_bytes() {
        [b'5', tail @ ..] => floor % 2 == 1 || tail.iter().any(|digit| *digit != b'0'),
        [first, ..] => *first > b'5',
        [] => false,
    };
    let rounded = floor + i128::from(half_up);
    (rounded < 10_i128.pow(WHOLE_DIGITS as u32 + SCALE)).then_some(rounded)
}

/// An exact amount, with at most [`SCALE`] digits after the point and 15 before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Reads `12.50`, `-3`, `1e-6` or a JSON number's text. Digits beyond the scale, such as those of a float's
    /// noise, are rounded half to even: a trillionth is below what anybody bills.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let wrong = |detail: String| Problem::invalid_field(field, "amount", detail);
        let text = text.trim();
        let (negative, whole, fraction, exponent) = split(text).ok_or_else(|| {
            let detail = format!("`{field}` = {text:.40?} is not an amount; write a decimal such as \"0.0125\"");
            wrong(detail)
        })?;
        let scaled = scaled(whole, fraction, exponent)
            .ok_or_else(|| wrong(format!("`{field}` = {text:.40} is too large; an amount is below 10^15")))?;
        Ok(Self(Decimal::from_i128_with_scale(if negative { -scaled } else { scaled }, SCALE).normalize()))
    }

    /// Returns the amount in units of 10^-[`SCALE`], as `Decimal128(38, 12)` stores it.
    pub fn scaled(self) -> i128 {
        let mut value = self.0;
        value.rescale(SCALE);
        value.mantissa()
    }

    /// Returns the decimal.
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse("amount", &text).map_err(serde::de::Error::custom)
    }
}

/// ISO 4217 code, or another upper-case name of three to eight letters (credits, points).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

impl Currency {
    /// Checks and wraps `text`; lower case is raised.
    pub fn new(field: &str, text: &str) -> Result<Self, Problem> {
        let code = text.trim().to_ascii_uppercase();
        if (3..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(Self(code));
        }
        Err(Problem::invalid_field(
            field,
            "currency",
            format!("`{field}` = {text:.20} is not a currency; write a code such as USD"),
        ))
    }

    /// Returns the code in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

//! Points in time, as clients write them and as tables keep them: UTC, in microseconds.
//!
//! Accepted are 1970-01-01 up to 2262-04-11 (the range of 64-bit nanoseconds, so that every export
//! format can carry it). Clocks lie, but a time outside of that is a mistake worth an answer.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::field::Span;
use crate::problem::Problem;

/// Microseconds since 1970-01-01T00:00:00Z; never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 2262-04-11T23:47:16.854775Z.
    pub const MAX: Self = Self(i64::MAX / 1000);

    /// Wraps microseconds since the epoch, or `None` outside of the accepted range.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros >= Self::MIN.0 && micros <= Self::MAX.0 { Some(Self(micros)) } else { None }
    }

    /// Wraps microseconds since the epoch; what is outside of the accepted range becomes its nearer end.
    pub const fn clamped(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Returns microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 text (any offset), or digits as in [`Timestamp::from_epoch`].
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            return match text.parse::<i64>() {
                Ok(whole) => Self::from_epoch(field, whole),
                Err(_) => Self::from_epoch_seconds(field, number),
            };
        }
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let problem = Problem::invalid_field(field, "time_format", Self::not_a_time(field, text));
            problem.hint("epoch seconds, milliseconds, microseconds and nanoseconds are read too")
        })?;
        Self::from_micros(parsed.timestamp_micros()).ok_or_else(|| Self::out_of_range(field, text))
    }

    /// Reads what [`Timestamp::parse`] reads, and `now`, `now-7d`, `now+90m`.
    pub fn parse_relative(field: &str, text: &str, now: Self) -> Result<Self, Problem> {
        let Some(rest) = text.trim().strip_prefix("now") else { return Self::parse(field, text) };
        let rest = rest.trim();
        let micros = match rest.split_at_checked(1) {
            None => Some(now.0),
            Some(("-", span)) => now.0.checked_sub(Span::parse(field, span)?.micros()),
            Some(("+", span)) => now.0.checked_add(Span::parse(field, span)?.micros()),
            Some(_) => {
                let detail = format!("`{field}` = {text:.40?} is not a time; write now, now-7d or now+90m");
                return Err(Problem::invalid_field(field, "time_format", detail));
            }
        };
        micros.and_then(Self::from_micros).ok_or_else(|| Self::out_of_range(field, text))
    }

    /// Says what is missing, where that can be seen.
    fn not_a_time(field: &str, text: &str) -> String {
        let given = format!("`{field}` = {text:.40?}");
        if text.len() <= 40 && DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() {
            return format!("{given} has no offset; write {text}Z if it is UTC");
        }
        if text.len() <= 40 && DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")).is_ok() {
            return format!("{given} is a day, not a time; write {text}T00:00:00Z if the day begins in UTC");
        }
        format!("{given} is not a time; write RFC 3339 such as 2026-01-05T10:00:00Z")
    }

    /// Reads a number of seconds, milliseconds, microseconds or nanoseconds: the unit in which it
    /// falls between the years 1973 and 5138 (below 10^11 s, below 10^14 ms, below 10^17 µs, else ns).
    pub fn from_epoch(field: &str, number: i64) -> Result<Self, Problem> {
        let micros = match number.unsigned_abs() {
            0..100_000_000_000 => number.checked_mul(1_000_000),
            100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000),
            100_000_000_000_000..100_000_000_000_000_000 => Some(number),
            _ => Some(number / 1_000),
        };
        micros.and_then(Self::from_micros).ok_or_else(|| Self::out_of_range(field, &number.to_string()))
    }

    /// Reads seconds with a fraction, as many tools write them.
    pub fn from_epoch_seconds(field: &str, seconds: f64) -> Result<Self, Problem> {
        let scaled = match seconds.abs() {
            s if s < 1e11 => seconds * 1e6,
            s if s < 1e14 => seconds * 1e3,
            s if s < 1e17 => seconds,
            _ => seconds / 1e3,
        };
        let micros =
            if scaled.is_finite() && scaled.abs() < 9e18 { Self::from_micros(scaled.round() as i64) } else { None };
        micros.ok_or_else(|| Self::out_of_range(field, &seconds.to_string()))
    }

    fn out_of_range(field: &str, given: &str) -> Problem {
        let detail = format!("`{field}` = {given:.40} is outside of what is accepted: {} to {}", Self::MIN, Self::MAX);
        Problem::invalid_field(field, "time_range", detail)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_micros(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse("time", &text).map_err(serde::de::Error::custom)
    }
}

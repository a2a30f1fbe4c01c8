//! Periods of the calendar that a charge covers: a day, a month, a quarter, a year or an interval. UTC.

use chrono::{Days, Months, NaiveDate};
use serde_json::Value;

use super::finding::{Findings, Path};
use super::shape::FieldValue;
use super::spec::FieldType;
use super::text::told;
use crate::json::Node;
use crate::problem::Problem;
use crate::time::Timestamp;

/// From a time up to, and not with, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

impl Period {
    /// Reads `2026-01-05`, `2026-01`, `2026-Q1`, `2026`, or `start/end` in days or RFC 3339.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let wrong = || {
            let detail = format!(
                "`{field}` = {text:.80?} is not a period; write 2026-01-05, 2026-01, 2026-Q1, 2026, \
                 or 2026-01-01/2026-02-01"
            );
            Problem::invalid_field(field, "period", detail)
        };
        let text = text.trim();
        let (start, end) = match text.split_once('/') {
            Some((start, end)) => (bound(field, start)?, bound(field, end)?),
            None => {
                let (first, next) = calendar(text).ok_or_else(wrong)?;
                (midnight(first).ok_or_else(wrong)?, midnight(next).ok_or_else(wrong)?)
            }
        };
        if start >= end {
            let detail = format!("`{field}` = {text:.80} ends before it starts");
            return Err(Problem::invalid_field(field, "period", detail));
        }
        Ok(Self { start, end })
    }

    /// Returns its first moment.
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// Returns the first moment after it.
    pub const fn end(self) -> Timestamp {
        self.end
    }
}

/// Returns the first day and the day after the last one.
fn calendar(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (first, months) = match (text.len(), text.split_once("-Q")) {
        (7, Some((year, quarter))) => {
            let quarter = quarter.parse::<u32>().ok().filter(|quarter| (1..=4).contains(quarter))?;
            (NaiveDate::from_ymd_opt(year.parse().ok()?, quarter * 3 - 2, 1)?, 3)
        }
        (4, None) => (NaiveDate::parse_from_str(&format!("{text}-01-01"), "%Y-%m-%d").ok()?, 12),
        (7, None) => (NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?, 1),
        (10, None) => {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            return Some((day, day.checked_add_days(Days::new(1))?));
        }
        _ => return None,
    };
    Some((first, first.checked_add_months(Months::new(months))?))
}

fn midnight(day: NaiveDate) -> Option<Timestamp> {
    Timestamp::from_micros(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

fn bound(field: &str, text: &str) -> Result<Timestamp, Problem> {
    match NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().and_then(midnight) {
        Some(day) => Ok(day),
        None => Timestamp::parse(field, text),
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.start, self.end)
    }
}

impl FieldValue for Period {
    const TYPE: FieldType = FieldType::Period;

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        let Node::Text(text) = value else {
            found.wrong_type(at, "a period such as \"2026-01\"", value);
            return None;
        };
        told(at, found, |path| Self::parse(path, text))
    }

    fn write(&self) -> Value {
        Value::String(self.to_string())
    }
}

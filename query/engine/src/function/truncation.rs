//! Where the hour, day, week, month, quarter or year around an instant began, in a time zone.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike,
};
use chrono_tz::Tz;
use datafusion::error::{DataFusionError, Result};

use crate::request::Zone;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Microseconds that divide every offset of a zone: the clock's own units.
    Clock(i64),
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// Reads a unit's name.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "microsecond" => Self::Clock(1),
            "millisecond" => Self::Clock(1_000),
            "second" => Self::Clock(1_000_000),
            "minute" => Self::Clock(60_000_000),
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            other => {
                return Err(DataFusionError::Execution(format!(
                    "date_trunc has no unit `{other}`; there are microsecond, millisecond, second, minute, hour, day, \
                     week, month, quarter and year"
                )));
            }
        })
    }

    /// Returns the first day of the unit around a day.
    fn first_day(self, date: NaiveDate, zone: Zone) -> Option<NaiveDate> {
        match self {
            Self::Clock(_) | Self::Hour | Self::Day => Some(date),
            Self::Week => date.checked_sub_days(Days::new(u64::from(date.weekday().days_since(zone.week_start)))),
            Self::Month => date.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        }
    }

    /// Returns the first day of the unit after the one that begins on `first`.
    fn next_day(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Clock(_) | Self::Hour | Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Quarter => first.checked_add_months(Months::new(3)),
            Self::Year => first.checked_add_months(Months::new(12)),
        }
    }
}

/// Instants from `from` to before `to`, all in the unit that began at `start`.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    to: i64,
    start: i64,
}

/// Truncates many instants; remembers the last span, because neighbours are often in the same.
#[derive(Clone, Debug)]
pub(super) struct Truncation {
    unit: Unit,
    zone: Zone,
    last: Span,
}

impl Truncation {
    pub const fn new(unit: Unit, zone: Zone) -> Self {
        Self { unit, zone, last: Span { from: 0, to: 0, start: 0 } }
    }

    /// Returns where the unit around `instant` (µs) began; `None` outside of the calendar.
    #[inline]
    pub fn start(&mut self, instant: i64) -> Option<i64> {
        if let Some((step, shift)) = self.even_steps() {
            return instant.checked_sub(instant.checked_add(shift)?.rem_euclid(step));
        }
        if !(self.last.from..self.last.to).contains(&instant) {
            self.last = span(instant, self.unit, self.zone)?;
        }
        Some(self.last.start)
    }

    /// Returns the length of units that are all equally long, and how long before 1970 one began.
    const fn even_steps(&self) -> Option<(i64, i64)> {
        match (self.unit, self.zone.tz) {
            (Unit::Clock(step), _) => Some((step, 0)),
            (Unit::Hour, Tz::UTC) => Some((HOUR, 0)),
            (Unit::Day, Tz::UTC) => Some((DAY, 0)),
            (Unit::Week, Tz::UTC) => {
                // 1970 began on a Thursday.
                let days_before = (3 + 7 - self.zone.week_start as i64) % 7;
                Some((7 * DAY, days_before * DAY))
            }
            _ => None,
        }
    }
}

fn span(instant: i64, unit: Unit, zone: Zone) -> Option<Span> {
    let local = zone.tz.from_utc_datetime(&DateTime::from_timestamp_micros(instant)?.naive_utc());
    if unit == Unit::Hour {
        // Counted back on the clock, so that the hour that a change of offset repeats stays two hours.
        let since = i64::from(local.minute()) * 60_000_000 + i64::from(local.second()) * 1_000_000;
        let start = instant.checked_sub(since + instant.rem_euclid(1_000_000))?;
        let hour = instant - instant.rem_euclid(HOUR);
        let offset = |at: i64| {
            let utc = DateTime::from_timestamp_micros(at)?.naive_utc();
            Some(zone.tz.offset_from_utc_datetime(&utc).fix())
        };
        // The offset does not change within most hours: then all of them that the clock calls the same begin together.
        return Some(match offset(hour)? == offset(hour.checked_add(HOUR)? - 1)? {
            true => Span { from: start.max(hour), to: (start + HOUR).min(hour + HOUR), start },
            false => Span { from: instant, to: instant.checked_add(1)?, start },
        });
    }
    let first = unit.first_day(local.date_naive(), zone)?;
    let start = start_of_day(first, zone.tz)?;
    Some(Span { from: start, to: start_of_day(unit.next_day(first)?, zone.tz)?, start })
}

/// Returns the first instant of a local day. Where midnight is skipped, the day begins after the gap;
/// where it comes twice, with the first.
fn start_of_day(date: NaiveDate, tz: Tz) -> Option<i64> {
    local_instant(date.and_time(NaiveTime::MIN), tz)
}

fn local_instant(local: NaiveDateTime, tz: Tz) -> Option<i64> {
    let mut wanted = local;
    for _ in 0..=96 {
        if let Some(found) = tz.from_local_datetime(&wanted).earliest() {
            return Some(found.timestamp_micros());
        }
        wanted = wanted.checked_add_signed(TimeDelta::minutes(15))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;

    use super::{HOUR, Truncation, Unit, span};
    use crate::request::Zone;

    #[test]
    fn a_span_holds_what_truncates_to_its_start() {
        let names =
            ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"];
        let units = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year];
        for (name, week_start) in names.into_iter().zip([Weekday::Mon, Weekday::Sun, Weekday::Sat].into_iter().cycle())
        {
            let zone = Zone { tz: name.parse().expect("a zone"), week_start };
            for unit in units {
                let mut truncation = Truncation::new(unit, zone);
                // Two years in steps of an hour and a half and a bit, over every change of offset.
                for step in 0..12_000 {
                    let instant = 1_735_000_000_000_000 + step * (HOUR * 3 / 2 + 1_234_567);
                    let alone = span(instant, unit, zone).expect("within the calendar").start;
                    assert_eq!(truncation.start(instant), Some(alone), "{name} {unit:?} {instant}");
                }
                assert!(truncation.start(-1).is_some_and(|start| start < 0), "{name} {unit:?}");
            }
        }
    }
}

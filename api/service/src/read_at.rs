//! At which position a read is answered: not before `min_position`, or exactly as of the past.

use std::time::Duration;

use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use serde_json::Value;

use crate::quantity;
use crate::service::Service;

/// Longest wait when the caller names none.
const WAIT_DEFAULT: Duration = Duration::from_millis(2_000);

/// What the caller asks of the position.
#[derive(Clone, Debug, Default)]
pub struct ReadAt {
    /// The answer must know this position.
    pub min_position: Option<Position>,
    /// How long to wait for it, in milliseconds.
    pub wait_ms: Option<u64>,
    /// Answer with what was known then.
    pub as_of: Option<AsOf>,
}

/// A point in the log's past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this event.
    Position(Position),
    /// After the last event recorded at or before.
    Time(Timestamp),
    /// This long ago.
    Ago(Duration),
}

impl AsOf {
    /// Reads a position (digits), an RFC 3339 time, or `now-7d`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if let Ok(number) = text.parse::<u64>() {
            return Position::new(number)
                .map(Self::Position)
                .ok_or_else(|| Problem::invalid_field("as_of", "out_of_range", "`as_of` = 0: positions begin at 1"));
        }
        if let Some(ago) = text.strip_prefix("now-").and_then(quantity::duration) {
            return Ok(Self::Ago(ago));
        }
        Timestamp::parse("as_of", text).map(Self::Time).map_err(|_| {
            let detail = format!("`as_of` = `{text:.60}` is neither a position, nor a time, nor like `now-7d`");
            Problem::invalid_field("as_of", "time_format", detail)
        })
    }

    /// Reads the `as_of` of a body: a number, or a text as [`AsOf::parse`] takes it; null is none.
    pub fn from_json(value: &Value) -> Result<Option<Self>, Problem> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) => Self::parse(text).map(Some),
            other => Self::parse(&other.to_string()).map(Some),
        }
    }
}

/// Where a read stands after its waits.
#[derive(Clone, Copy, Debug)]
pub struct ReadPoint {
    /// The past position to answer at, if one was asked for.
    pub as_of: Option<Position>,
}

impl Service {
    /// Waits until tables know `min_position` and resolves `as_of`; `Timeout` names the lag.
    pub async fn read_point(&self, at: &ReadAt) -> Result<ReadPoint, Problem> {
        let (as_of, wait) = (self.resolve_as_of(at)?, self.wait_of(at)?);
        if let Some(needed) = at.min_position.max(as_of) {
            self.wait_for(needed, wait).await?;
        }
        Ok(ReadPoint { as_of })
    }

    /// Returns how long `at` may wait. Errors name the limit.
    pub(crate) fn wait_of(&self, at: &ReadAt) -> Result<Duration, Problem> {
        let wait = at.wait_ms.map_or(WAIT_DEFAULT, Duration::from_millis);
        let max = self.settings().wait_max;
        if wait > max {
            let detail = format!("`wait_ms` = {} is over the limit of {}", wait.as_millis(), max.as_millis());
            return Err(Problem::invalid_field("wait_ms", "out_of_range", detail));
        }
        Ok(wait)
    }

    /// Returns the position that `as_of` names.
    pub(crate) fn resolve_as_of(&self, at: &ReadAt) -> Result<Option<Position>, Problem> {
        let now = self.clock().now();
        let time = match at.as_of {
            None => return Ok(None),
            Some(AsOf::Position(position)) => return Ok(Some(position)),
            Some(AsOf::Time(time)) => time,
            Some(AsOf::Ago(ago)) => {
                let micros = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
                Timestamp::from_micros(now.micros().saturating_sub(micros)).unwrap_or(Timestamp::MIN)
            }
        };
        if time > now {
            let detail = format!("`as_of` = {time} is in the future: what will be known then is not known");
            return Err(Problem::invalid_field("as_of", "in_the_future", detail));
        }
        let found = self.log().position_at(time).map_err(Problem::from)?;
        found.map(Some).ok_or_else(|| {
            Problem::new(ErrorClass::NotFound, format!("nothing was recorded at or before {time}"))
                .code("before_first_event")
                .hint("ask for a later `as_of`; the time of an event itself is the column `time`")
        })
    }

    async fn wait_for(&self, needed: Position, wait: Duration) -> Result<(), Problem> {
        let mut published = self.published_watch();
        let reached = tokio::time::timeout(wait, published.wait_for(|at| *at >= Some(needed))).await;
        if reached.is_ok_and(|reached| reached.is_ok()) {
            return Ok(());
        }
        let (at, head) = (self.published().map_or(0, Position::get), self.head().map_or(0, Position::get));
        let detail = if needed.get() > head {
            format!("position {needed} does not exist yet: the log ends at {head}")
        } else {
            format!("tables are at position {at}, {} before {needed}", needed.get().saturating_sub(at))
        };
        Err(Problem::new(ErrorClass::Timeout, format!("{detail}; waited {} ms", wait.as_millis()))
            .code("position_not_reached")
            .hint("wait longer with `wait_ms`, or ask again; /metrics shows the lag")
            .retry_after(Duration::from_secs(1)))
    }
}

//! What a subscription is: a name, a filter, and how patient it is.

use std::time::Duration;

use partitura_event::{Position, Problem, Timestamp};
use serde::{Deserialize, Serialize};

use crate::live::filter::{EventFilter, FilterText};
use crate::live::tail::After;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 63;
/// Deliveries of one event before it is parked.
const ATTEMPTS_DEFAULT: u32 = 10;
const ATTEMPTS_MAX: u32 = 1_000;
/// How long a consumer has for an event.
const ACK_DEFAULT: Duration = Duration::from_secs(30);
const ACK_MIN: Duration = Duration::from_millis(100);
const ACK_MAX: Duration = Duration::from_secs(12 * 3_600);
/// Events that are out or wait to be handed out again, at most.
const WINDOW_DEFAULT: usize = 200;
/// Most that a window may be.
pub const WINDOW_MAX: usize = 1_000;

/// A subscription to be made.
#[derive(Clone, Debug, Default)]
pub struct NewSubscription {
    /// Its name in the workspace.
    pub name: String,
    /// Which events.
    pub filter: FilterText,
    /// From where; the beginning by default.
    pub from: After,
    /// Deliveries of one event before it is parked.
    pub max_attempts: Option<u32>,
    /// How long a consumer has for an event, in milliseconds.
    pub ack_timeout_ms: Option<u64>,
    /// Events that may be out at once.
    pub window: Option<usize>,
}

/// A subscription, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name in the workspace.
    pub name: String,
    /// Which events.
    pub filter: EventFilter,
    /// It began after this position.
    pub from: Option<Position>,
    /// Deliveries of one event before it is parked.
    pub max_attempts: u32,
    /// How long a consumer has for an event, in milliseconds.
    pub ack_timeout_ms: u64,
    /// Events that may be out, or wait to be handed out again.
    pub window: usize,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Definition {
    /// Checks what was asked for. Errors name the field and its limits.
    pub fn new(new: NewSubscription, head: Option<Position>, now: Timestamp) -> Result<Self, Problem> {
        check_name(&new.name)?;
        let max_attempts = within("max_attempts", new.max_attempts.unwrap_or(ATTEMPTS_DEFAULT), 1, ATTEMPTS_MAX)?;
        let (ack_min, ack_max) = (ACK_MIN.as_millis() as u64, ACK_MAX.as_millis() as u64);
        let ack = new.ack_timeout_ms.unwrap_or(ACK_DEFAULT.as_millis() as u64);
        Ok(Self {
            name: new.name,
            filter: EventFilter::try_from(new.filter)?,
            from: new.from.resolve(head)?,
            max_attempts,
            ack_timeout_ms: within("ack_timeout_ms", ack, ack_min, ack_max)?,
            window: within("window", new.window.unwrap_or(WINDOW_DEFAULT), 1, WINDOW_MAX)?,
            created_at: now,
        })
    }

    /// Returns how long a consumer has for an event.
    pub const fn ack_timeout(&self) -> Duration {
        Duration::from_millis(self.ack_timeout_ms)
    }

    /// Returns whether both ask for the same; where they began and when does not count.
    pub fn is_like(&self, other: &Self) -> bool {
        let own = (&self.name, &self.filter, self.max_attempts, self.ack_timeout_ms, self.window);
        own == (&other.name, &other.filter, other.max_attempts, other.ack_timeout_ms, other.window)
    }
}

/// A name is that of a file: lower-case letters, digits, `-`, `_` and `.`, beginning with a letter or digit.
fn check_name(name: &str) -> Result<(), Problem> {
    let safe = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let begins = name.bytes().next().is_some_and(safe);
    if begins && name.len() <= NAME_BYTES_MAX && name.bytes().all(|byte| safe(byte) || b"-_.".contains(&byte)) {
        return Ok(());
    }
    let detail = format!(
        "`name` = {name:.80?} must be lower-case letters, digits, `-`, `_` and `.`, at most {NAME_BYTES_MAX}, \
         beginning with a letter or digit"
    );
    Err(Problem::invalid_field("name", "name", detail))
}

fn within<T: PartialOrd + std::fmt::Display>(field: &str, given: T, min: T, max: T) -> Result<T, Problem> {
    if given >= min && given <= max {
        return Ok(given);
    }
    let detail = format!("`{field}` = {given} is not between {min} and {max}");
    Err(Problem::invalid_field(field, "out_of_range", detail))
}

//! How one session is set. Nothing of it reaches another session.

use std::collections::BTreeMap;
use std::sync::Arc;

use partitura_event::{ErrorClass, Position, Problem};
use partitura_service::{AsOf, ReadAt, Settings, check_time_zone};

use crate::settings::{self, KNOWN, Known, Rule};
use crate::transaction::Isolation;

/// Settings of one session; names are in small letters.
pub struct Variables {
    /// What holds now.
    pub now: Arc<BTreeMap<String, String>>,
    /// What `RESET` goes back to: defaults and what the client asked for when it connected.
    start: Arc<BTreeMap<String, String>>,
    timeout_ms_max: u64,
}

impl Variables {
    /// Takes what a client asked for when it connected. Errors as `SET` would.
    pub fn new(asked: &BTreeMap<String, String>, user: &str, limits: &Settings) -> Result<Self, Problem> {
        let mut start: BTreeMap<_, _> =
            KNOWN.iter().map(|known| (known.name.to_lowercase(), known.default.to_owned())).collect();
        start.insert("session_authorization".into(), user.to_owned());
        let timeout_ms_max = u64::try_from(limits.query_timeout_max.as_millis()).unwrap_or(u64::MAX);
        let start = Arc::new(start);
        let mut variables = Self { now: Arc::clone(&start), start, timeout_ms_max };
        for (name, value) in asked {
            // The workspace was found with the key, and is only told from here on.
            if name == settings::WORKSPACE {
                variables.put(name, value.clone());
            } else {
                variables.set(name, Some(value))?;
            }
        }
        variables.start = Arc::clone(&variables.now);
        Ok(variables)
    }

    /// Returns a value.
    pub fn get(&self, name: &str) -> Result<&str, Problem> {
        let found = self.now.get(&name.to_lowercase()).map(String::as_str);
        found.ok_or_else(|| unknown(name))
    }

    /// Sets a value; none is what it began with. Returns the setting when clients must be told.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<Option<&'static Known>, Problem> {
        let lower = name.to_lowercase();
        let known = settings::find(&lower);
        match known {
            // Others with a dot are a client's own.
            None if !lower.contains('.') || lower.starts_with("partitura.") => return Err(unknown(name)),
            Some(known) if known.rule == Rule::Fixed => return Err(fixed(known.name)),
            _ => {}
        }
        let value = match (value, known) {
            (None, _) => self.start.get(&lower).cloned(),
            (Some(value), Some(known)) => Some(self.checked(known, value)?),
            (Some(value), None) => Some(value.to_owned()),
        };
        match value {
            Some(value) => self.put(&lower, value),
            None => drop(Arc::make_mut(&mut self.now).remove(&lower)),
        }
        Ok(known.filter(|known| known.told))
    }

    /// Goes back to what holds since the connection began.
    pub fn reset(&mut self) {
        self.now = Arc::clone(&self.start);
    }

    fn put(&mut self, name: &str, value: String) {
        Arc::make_mut(&mut self.now).insert(name.to_owned(), value);
    }

    fn checked(&self, known: &Known, value: &str) -> Result<String, Problem> {
        let text = value.trim();
        let wrong = |takes: &str| {
            let detail = format!("invalid value for parameter \"{}\": \"{text:.60}\"", known.name);
            Problem::new(ErrorClass::Invalid, detail).hint(format!("it takes {takes}"))
        };
        match known.rule {
            Rule::Kept | Rule::Fixed => Ok(value.to_owned()),
            Rule::Switch => switch(text).map(str::to_owned).ok_or_else(|| wrong("on or off")),
            Rule::Only(only) => {
                if !is_only(only, text) {
                    return Err(wrong(only));
                }
                Ok(known.default.to_owned())
            }
            Rule::Time => {
                let asked = milliseconds(text).ok_or_else(|| wrong("milliseconds, or a time such as 30s"))?;
                Ok(asked.min(self.timeout_ms_max).to_string())
            }
            Rule::TimeZone => check_time_zone(text).map(|()| text.to_owned()),
            Rule::Isolation => {
                let isolation = Isolation::parse(&text.to_lowercase());
                isolation.map(|isolation| isolation.name().to_owned()).ok_or_else(|| wrong("a level of isolation"))
            }
            Rule::AsOf if text.is_empty() => Ok(String::new()),
            Rule::AsOf => AsOf::parse(text).map(|_| text.to_owned()),
            Rule::Number if text.is_empty() => Ok(String::new()),
            Rule::Number => text.parse::<u64>().map(|number| number.to_string()).map_err(|_| wrong("a whole number")),
        }
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.now.get(name)?.parse().ok()
    }

    /// Returns at which position statements read.
    pub fn read_at(&self) -> Result<ReadAt, Problem> {
        let as_of = self.now.get(settings::AS_OF).filter(|text| !text.is_empty());
        Ok(ReadAt {
            min_position: self.number(settings::MIN_POSITION).and_then(Position::new),
            wait_ms: self.number(settings::WAIT_MS),
            as_of: as_of.map(|text| AsOf::parse(text)).transpose()?,
        })
    }

    /// Returns the most rows that an answer shall have.
    pub fn limit(&self) -> Option<usize> {
        self.number(settings::LIMIT).and_then(|limit| usize::try_from(limit).ok())
    }

    /// Returns the longest time of a statement.
    pub fn timeout_ms(&self) -> Option<u64> {
        self.number("statement_timeout").filter(|limit| *limit > 0)
    }

    /// Returns the zone, where the client chose one.
    pub fn time_zone(&self) -> Option<String> {
        let chosen = self.now.get("timezone")?;
        let default = settings::find("timezone").map_or("", |known| known.default);
        (chosen != default).then(|| chosen.clone())
    }

    /// Returns how a transaction reads that says nothing of it.
    pub fn isolation(&self) -> Isolation {
        let default = self.now.get("default_transaction_isolation").and_then(|name| Isolation::parse(name));
        default.unwrap_or(Isolation::ReadCommitted)
    }
}

fn is_only(only: &str, text: &str) -> bool {
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    match only {
        "UTF8" => plain.eq_ignore_ascii_case("utf8") || plain.eq_ignore_ascii_case("unicode"),
        "ISO" => text.split(',').any(|part| part.trim().eq_ignore_ascii_case("iso")),
        "on" => switch(text) == Some("on"),
        "none" => text.eq_ignore_ascii_case("none") || text.eq_ignore_ascii_case("default"),
        other => plain.eq_ignore_ascii_case(other),
    }
}

fn switch(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "on" | "true" | "t" | "yes" | "y" | "1" => Some("on"),
        "off" | "false" | "f" | "no" | "n" | "0" => Some("off"),
        _ => None,
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "us" => return Some(number / 1_000),
        _ => return None,
    };
    number.checked_mul(factor)
}

fn fixed(name: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("parameter \"{name}\" cannot be changed")).code("setting_fixed")
}

fn unknown(name: &str) -> Problem {
    Problem::new(ErrorClass::NotFound, format!("unrecognized configuration parameter \"{name:.60}\""))
        .code("unknown_setting")
        .suggest(&name.to_lowercase(), KNOWN.iter().map(|known| known.name))
}

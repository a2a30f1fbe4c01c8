//! Query parameters: known ones only, each at most once, read by type.

use std::str::FromStr;

use axum::extract::Query;
use axum::http::Uri;
use partitura_event::{ErrorClass, Position, Problem};
use partitura_service::{AsOf, ReadAt};

/// The parameters of one request.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

/// Parameters that every read takes.
pub const READ_AT: &[&str] = &["min_position", "wait_ms", "as_of"];

impl Params {
    /// Reads the query of `uri`. Errors name an unknown or repeated parameter and the nearest known one.
    pub fn of(uri: &Uri, known: &[&[&str]]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
            Problem::new(ErrorClass::Malformed, format!("the query string cannot be read: {error}"))
        })?;
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !known.iter().copied().flatten().any(|known| known == name) {
                return Err(unknown(name, known));
            }
            if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                let detail = format!("the parameter `{name}` stands twice; send it once");
                return Err(Problem::invalid_field(name, "repeated", detail));
            }
        }
        Ok(Self(pairs))
    }

    /// Returns a parameter's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Reads a parameter as `T`; `takes` says what that is.
    pub fn parsed<T: FromStr>(&self, name: &str, takes: &str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| parse(name, text, takes)).transpose()
    }

    /// Reads `true` or `false`; absent means false, present without value means true.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name) {
            None => Ok(false),
            Some("") => Ok(true),
            Some(text) => parse(name, text, "true or false"),
        }
    }

    /// Reads a position; 0 means before the first event.
    pub fn position(&self, name: &str) -> Result<Option<Position>, Problem> {
        Ok(self.parsed::<u64>(name, "a position, a whole number")?.and_then(Position::new))
    }

    /// Reads a page size between 1 and `max`.
    pub fn limit(&self, default: usize, max: usize) -> Result<usize, Problem> {
        match self.parsed("limit", "a whole number")? {
            None => Ok(default),
            Some(limit) if (1..=max).contains(&limit) => Ok(limit),
            Some(limit) => {
                let detail = format!("`limit` = {limit} is not between 1 and {max}");
                Err(Problem::invalid_field("limit", "out_of_range", detail))
            }
        }
    }

    /// Reads `min_position`, `wait_ms` and `as_of`.
    pub fn read_at(&self) -> Result<ReadAt, Problem> {
        Ok(ReadAt {
            min_position: self.position("min_position")?,
            wait_ms: self.parsed("wait_ms", "milliseconds, a whole number")?,
            as_of: self.text("as_of").map(AsOf::parse).transpose()?,
        })
    }
}

fn parse<T: FromStr>(name: &str, text: &str, takes: &str) -> Result<T, Problem> {
    text.trim()
        .parse()
        .map_err(|_| Problem::invalid_field(name, "wrong_type", format!("`{name}` takes {takes}, not `{text:.60}`")))
}

fn unknown(name: &str, known: &[&[&str]]) -> Problem {
    let known: Vec<&str> = known.iter().copied().flatten().copied().collect();
    let hint = if known.is_empty() {
        "this route takes no parameters".to_owned()
    } else {
        format!("this route takes {}", known.join(", "))
    };
    Problem::invalid_field(name, "unknown_parameter", format!("there is no parameter `{name:.60}` here"))
        .code("unknown_parameter")
        .suggest(name, known)
        .hint(hint)
}

//! What a caller asks.

use std::time::Duration;

use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use serde_json::{Map, Value};

/// Longest query that is accepted, in bytes. What is beyond 4 KiB is not looked at.
pub const QUERY_BYTES_MAX: usize = 64 << 10;
/// Most hits of one page.
pub const LIMIT_MAX: usize = 1_000;
/// Longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 4 << 10;

/// How much the vectors count beside the words. Tuned on SciFact, Cranfield and LoCoMo together.
pub const ALPHA: f32 = 0.45;
/// The constant of reciprocal rank fusion.
pub const RRF_K: f32 = 60.0;

/// Which legs answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Words and vectors.
    Hybrid,
    /// Words.
    Text,
    /// Vectors.
    Semantic,
    /// Words alone for names and phrases, else both.
    Auto,
}

/// How two ranked lists become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// Each leg's scores between 0 and 1, then `alpha` × vectors + (1 − `alpha`) × words. Without an `alpha`
    /// the usual one, and a small one for queries that are names or phrases.
    Weighted {
        /// Share of the vectors, 0 to 1.
        alpha: Option<f32>,
    },
    /// The sum of 1 / (k + rank).
    Rrf {
        /// The higher, the less the first ranks count.
        k: f32,
    },
}

/// How age counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recency {
    /// After this time a score counts half.
    pub half_life: Duration,
}

/// At which position a search is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchPoint {
    /// Wait until this position is searchable.
    pub min_position: Option<Position>,
    /// How long to wait.
    pub wait: Duration,
    /// Answer as of this position.
    pub as_of: Option<Position>,
    /// The time that ages and validity are counted from; the clock's when absent.
    pub now: Option<Timestamp>,
}

impl Default for SearchPoint {
    fn default() -> Self {
        Self { min_position: None, wait: Duration::from_millis(2_000), as_of: None, now: None }
    }
}

/// One search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// What is looked for.
    pub query: String,
    /// Which legs.
    pub mode: Mode,
    /// Hits per page.
    pub limit: usize,
    /// SQL predicate over the columns of `documents`.
    pub filter: Option<String>,
    /// How the legs are put together.
    pub fusion: Fusion,
    /// How age counts; not at all when absent.
    pub recency: Option<Recency>,
    /// Whether the words are marked in the text.
    pub highlight: bool,
    /// Columns whose values are counted over the ranked documents.
    pub facets: Vec<String>,
    /// Whether each hit says its ranks and scores.
    pub explain: bool,
    /// Whether vectors are compared with all, without an approximate index.
    pub exact: bool,
    /// Whether knowledge is found that was superseded or retracted, or is past its time.
    pub include_ended: bool,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Wait until this position is searchable.
    pub min_position: Option<Position>,
    /// How long to wait.
    pub wait: Duration,
    /// Answer as of this position.
    pub as_of: Option<Position>,
    /// The time that ages and validity are counted from; the clock's when absent.
    pub now: Option<Timestamp>,
}

const FIELDS: &[&str] = &[
    "query",
    "mode",
    "limit",
    "filter",
    "fusion",
    "recency",
    "highlight",
    "facets",
    "explain",
    "exact",
    "include_ended",
    "cursor",
    "min_position",
    "wait_ms",
    "as_of",
];

/// Columns that facets count.
pub const FACETS: &[&str] =
    &["kind", "agent_id", "task_id", "attempt_id", "conversation_id", "project_id", "model", "tags"];

impl SearchRequest {
    /// Asks for the ten best hits of `query`, by words and vectors.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            mode: Mode::Hybrid,
            limit: 10,
            filter: None,
            fusion: Fusion::Weighted { alpha: None },
            recency: None,
            highlight: false,
            facets: Vec::new(),
            explain: false,
            exact: false,
            include_ended: false,
            cursor: None,
            min_position: None,
            wait: Duration::from_millis(2_000),
            as_of: None,
            now: None,
        }
    }

    /// Returns the point that it asks for.
    pub fn point(&self) -> SearchPoint {
        SearchPoint { min_position: self.min_position, wait: self.wait, as_of: self.as_of, now: self.now }
    }

    /// Reads the JSON body of `POST /v1/search`.
    pub fn from_json(body: &Value) -> Result<Self, Problem> {
        let object = body.as_object().ok_or_else(|| invalid("", "type", "the body must be a JSON object"))?;
        check_names("", object, FIELDS)?;
        let mut request = Self::new(text(object, "query")?.unwrap_or_default());
        if let Some(mode) = text(object, "mode")? {
            let known =
                [("hybrid", Mode::Hybrid), ("text", Mode::Text), ("semantic", Mode::Semantic), ("auto", Mode::Auto)];
            request.mode = one_of("mode", &mode, &known)?;
        }
        if let Some(limit) = integer(object, "limit")? {
            request.limit = limit as usize;
        }
        request.filter = text(object, "filter")?.filter(|filter| !filter.trim().is_empty());
        if let Some(fusion) = object.get("fusion").filter(|fusion| !fusion.is_null()) {
            request.fusion = read_fusion(fusion)?;
        }
        if let Some(recency) = object.get("recency").filter(|recency| !recency.is_null()) {
            request.recency = Some(read_recency(recency)?);
        }
        for (name, target) in [
            ("highlight", &mut request.highlight),
            ("explain", &mut request.explain),
            ("exact", &mut request.exact),
            ("include_ended", &mut request.include_ended),
        ] {
            *target = boolean(object, name)?;
        }
        request.facets = words(object, "facets")?;
        request.cursor = text(object, "cursor")?;
        request.min_position = integer(object, "min_position")?.and_then(Position::new);
        request.as_of = integer(object, "as_of")?.and_then(Position::new);
        request.wait = wait(object)?;
        request.check()?;
        Ok(request)
    }

    /// Checks limits that no type holds.
    pub fn check(&self) -> Result<(), Problem> {
        if self.query.trim().is_empty() {
            return Err(invalid("query", "empty", "`query` is empty; say what to look for"));
        }
        if self.query.len() > QUERY_BYTES_MAX {
            let detail = format!("`query` has {} bytes; at most {QUERY_BYTES_MAX} are accepted", self.query.len());
            return Err(Problem { class: ErrorClass::TooLarge, ..invalid("query", "too_long", detail) });
        }
        if self.limit == 0 || self.limit > LIMIT_MAX {
            return Err(invalid("limit", "range", format!("`limit` is {}; it must be 1 to {LIMIT_MAX}", self.limit)));
        }
        if let Some(filter) = self.filter.as_ref().filter(|filter| filter.len() > FILTER_BYTES_MAX) {
            let detail = format!("`filter` has {} bytes; at most {FILTER_BYTES_MAX} are accepted", filter.len());
            return Err(invalid("filter", "too_long", detail));
        }
        match self.fusion {
            Fusion::Weighted { alpha: Some(alpha) } if !(0.0..=1.0).contains(&alpha) => {
                return Err(invalid("fusion.alpha", "range", format!("`alpha` is {alpha}; it must be 0 to 1")));
            }
            Fusion::Rrf { k } if !(k > 0.0 && k.is_finite()) => {
                return Err(invalid("fusion.k", "range", format!("`k` is {k}; it must be above 0")));
            }
            _ => {}
        }
        for facet in &self.facets {
            if !FACETS.contains(&facet.as_str()) {
                let detail = format!("`{facet}` cannot be counted; facets are {}", FACETS.join(", "));
                return Err(invalid("facets", "unknown", detail).suggest(facet, FACETS.iter().copied()));
            }
        }
        Ok(())
    }
}

fn read_fusion(value: &Value) -> Result<Fusion, Problem> {
    let object = value.as_object().ok_or_else(|| invalid("fusion", "type", "`fusion` must be an object"))?;
    check_names("fusion.", object, &["method", "alpha", "k"])?;
    let number = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let wrong = || invalid(&format!("fusion.{name}"), "type", format!("`{name}` must be a number"));
            value.as_f64().map(|number| Some(number as f32)).ok_or_else(wrong)
        }
    };
    let method = text(object, "method")?.unwrap_or_else(|| "weighted".to_owned());
    Ok(match one_of("fusion.method", &method, &[("weighted", false), ("rrf", true)])? {
        false => Fusion::Weighted { alpha: number("alpha")? },
        true => Fusion::Rrf { k: number("k")?.unwrap_or(RRF_K) },
    })
}

fn read_recency(value: &Value) -> Result<Recency, Problem> {
    let object = value.as_object().ok_or_else(|| invalid("recency", "type", "`recency` must be an object"))?;
    check_names("recency.", object, &["half_life"])?;
    let text = text(object, "half_life")?.unwrap_or_default();
    let half_life = duration(&text).ok_or_else(|| {
        let detail = format!("`half_life` is `{text}`; write a number and s, m, h, d or w, such as `30d`");
        invalid("recency.half_life", "format", detail)
    })?;
    Ok(Recency { half_life })
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        'w' => 604_800.0,
        _ => return None,
    };
    let seconds = number * seconds;
    (seconds > 0.0 && seconds < 1e12).then(|| Duration::from_secs_f64(seconds))
}

pub(super) fn check_names(prefix: &str, object: &Map<String, Value>, known: &[&str]) -> Result<(), Problem> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let detail = format!("there is no field `{prefix}{name}`");
            Err(invalid(&format!("{prefix}{name}"), "unknown_field", detail).suggest(name, known.iter().copied()))
        }
        None => Ok(()),
    }
}

pub(super) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(invalid(name, "type", format!("`{name}` must be a string"))),
    }
}

pub(super) fn integer(object: &Map<String, Value>, name: &str) -> Result<Option<u64>, Problem> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let wrong = || invalid(name, "type", format!("`{name}` must be a whole number that is not negative"));
            value.as_u64().map(Some).ok_or_else(wrong)
        }
    }
}

/// Reads how long to wait for a position.
pub(super) fn wait(object: &Map<String, Value>) -> Result<Duration, Problem> {
    let wait = integer(object, "wait_ms")?.map(Duration::from_millis);
    Ok(wait.unwrap_or(SearchPoint::default().wait))
}

fn boolean(object: &Map<String, Value>, name: &str) -> Result<bool, Problem> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(invalid(name, "type", format!("`{name}` must be true or false"))),
    }
}

fn words(object: &Map<String, Value>, name: &str) -> Result<Vec<String>, Problem> {
    let wrong = || invalid(name, "type", format!("`{name}` must be an array of strings"));
    match object.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

pub(super) fn one_of<T: Copy>(path: &str, text: &str, known: &[(&str, T)]) -> Result<T, Problem> {
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let detail = format!("`{path}` is `{text}`; it must be one of {}", names.join(", "));
        invalid(path, "unknown", detail).suggest(text, names)
    })
}

pub(super) fn invalid(path: &str, code: &str, detail: impl Into<String>) -> Problem {
    Problem::invalid_field(path, code, detail)
}

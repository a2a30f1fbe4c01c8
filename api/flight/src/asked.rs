//! What a call asks beside its SQL: headers with the names of the fields of `POST /v1/sql`.

use partitura_event::{Position, Problem};
use partitura_service::{AsOf, ReadAt, SqlCall};
use serde_json::Value;
use tonic::metadata::MetadataMap;

const PREFIX: &str = "x-partitura-";
const KNOWN: &[&str] =
    &["workspace", "min-position", "wait-ms", "as-of", "limit", "timeout-ms", "time-zone", "query-id"];

/// The headers of one call.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    limit: Option<usize>,
    timeout_ms: Option<u64>,
    time_zone: Option<String>,
    query_id: Option<String>,
    at: ReadAt,
}

impl Asked {
    /// Reads them. Errors name the header, and the nearest one that there is.
    pub fn of(metadata: &MetadataMap) -> Result<Self, Problem> {
        for name in metadata.as_ref().keys() {
            if let Some(short) = name.as_str().strip_prefix(PREFIX)
                && !KNOWN.contains(&short)
            {
                let detail = format!("there is no header `{name}`");
                let problem = Problem::invalid_field(name.as_str(), "unknown_field", detail);
                return Err(problem.suggest(short, KNOWN.iter().copied()));
            }
        }
        let text = |short: &str| text(metadata, short);
        Ok(Self {
            limit: number(metadata, "limit")?,
            timeout_ms: number(metadata, "timeout-ms")?,
            time_zone: text("time-zone")?.map(str::to_owned),
            query_id: text("query-id")?.map(str::to_owned),
            at: ReadAt {
                min_position: number(metadata, "min-position")?.and_then(Position::new),
                wait_ms: number(metadata, "wait-ms")?,
                as_of: text("as-of")?.map(AsOf::parse).transpose()?,
            },
        })
    }

    /// Makes the service's call of it.
    pub fn call(self, sql: String, params: Value) -> SqlCall {
        SqlCall {
            sql,
            params,
            limit: self.limit,
            timeout_ms: self.timeout_ms,
            query_id: self.query_id,
            time_zone: self.time_zone,
            at: self.at,
            ..SqlCall::default()
        }
    }
}

fn text<'m>(metadata: &'m MetadataMap, short: &str) -> Result<Option<&'m str>, Problem> {
    let name = format!("{PREFIX}{short}");
    let unreadable = |_| Problem::invalid_field(&name, "invalid_utf8", format!("the header `{name}` is not text"));
    metadata.get(&name).map(|value| value.to_str().map_err(unreadable)).transpose()
}

fn number<T: std::str::FromStr>(metadata: &MetadataMap, short: &str) -> Result<Option<T>, Problem> {
    let Some(text) = text(metadata, short)? else { return Ok(None) };
    let wrong = |_| {
        let name = format!("{PREFIX}{short}");
        Problem::invalid_field(&name, "number", format!("the header `{name}` takes a whole number, not `{text:.40}`"))
    };
    text.trim().parse().map(Some).map_err(wrong)
}

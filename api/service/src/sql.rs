//! Asking in SQL: position, calendar and limits of a query, and small questions of the service itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use partitura_query::{Columns, Format, Params, SqlLimits, SqlRequest, SqlStream, encode};
use serde_json::{Map, Value};

use crate::calendar;
use crate::gate::Pass;
use crate::metrics::Metrics;
use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;

/// A question.
#[derive(Clone, Debug, Default)]
pub struct SqlCall {
    /// One read-only statement.
    pub sql: String,
    /// An object of named values, or an array of positional ones.
    pub params: Value,
    /// Most rows.
    pub limit: Option<usize>,
    /// Most bytes of the answer in memory, below the setting's.
    pub bytes: Option<u64>,
    /// Longest time.
    pub timeout_ms: Option<u64>,
    /// Name to cancel it by.
    pub query_id: Option<String>,
    /// Zone of date functions, instead of the workspace's.
    pub time_zone: Option<String>,
    /// At which position.
    pub at: ReadAt,
    /// What `now()` says, where an answer is given again that was planned then.
    pub now: Option<Timestamp>,
}

/// What a query would answer, and from when.
#[derive(Clone, Debug)]
pub struct SqlPlanned {
    /// Columns, open parameters, position.
    pub columns: Columns,
    /// What `now()` says.
    pub now: Timestamp,
}

/// The rows, and what is held while they are read.
pub struct SqlAnswer {
    /// The rows.
    pub stream: SqlStream,
    /// Name to cancel it by.
    pub query_id: String,
    /// Its place among the running reads.
    pub hold: SqlHold,
}

/// The place of a query among the running ones; its time is counted when it is given back.
#[must_use]
pub struct SqlHold {
    _pass: Pass,
    metrics: Arc<Metrics>,
    started: Instant,
}

impl Drop for SqlHold {
    fn drop(&mut self) {
        self.metrics.sql.observe(self.started.elapsed());
    }
}

/// A row of a small question.
pub type Row = Map<String, Value>;

impl Service {
    /// Answers one query of the caller's workspace.
    pub async fn sql(&self, principal: &Principal, call: SqlCall) -> Result<SqlAnswer, Problem> {
        let limits = self.sql_limits(&call)?;
        self.sql_within(principal, call, limits).await
    }

    /// Answers one query within limits of the service's own choice.
    #[tracing::instrument(level = "debug", name = "query", skip_all, fields(workspace = %principal.workspace))]
    pub(crate) async fn sql_within(
        &self,
        principal: &Principal,
        call: SqlCall,
        limits: SqlLimits,
    ) -> Result<SqlAnswer, Problem> {
        // Who waits for a position does not keep a place that others could use.
        let point = self.read_point(&call.at).await?;
        let pass = self.read_gate().enter().await?;
        let hold = SqlHold { _pass: pass, metrics: Arc::clone(self.metrics()), started: Instant::now() };
        let request = self.sql_request(principal, call, limits, point.as_of).await?;
        let query_id = request.query_id.clone();
        let stream = self.engine().sql(request).await?;
        tracing::debug!(query_id, position = stream.position().map_or(0, Position::get), "query planned");
        Ok(SqlAnswer { stream, query_id, hold })
    }

    /// Plans one query of the caller's workspace without running it; parameters may be open.
    pub async fn sql_columns(&self, principal: &Principal, call: SqlCall) -> Result<SqlPlanned, Problem> {
        let limits = self.sql_limits(&call)?;
        let point = self.read_point(&call.at).await?;
        let _pass = self.read_gate().enter().await?;
        let request = self.sql_request(principal, call, limits, point.as_of).await?;
        let now = request.now;
        Ok(SqlPlanned { columns: self.engine().columns(request).await?, now })
    }

    async fn sql_request(
        &self,
        principal: &Principal,
        call: SqlCall,
        limits: SqlLimits,
        as_of: Option<Position>,
    ) -> Result<SqlRequest, Problem> {
        let params = params(call.params)?;
        let query_id = call.query_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        partitura_event::id::check_id("query_id", &query_id)?;
        let mut zone = self.zone(principal, as_of).await?;
        if let Some(name) = &call.time_zone {
            zone.tz = calendar::time_zone(name)?;
        }
        let now = call.now.map_or_else(|| self.now_at(as_of), Ok)?;
        let workspace = principal.workspace.clone();
        Ok(SqlRequest { workspace, sql: call.sql, params, as_of, now, limits, zone, query_id })
    }

    /// Cancels a running query of the caller's workspace.
    pub fn cancel_sql(&self, principal: &Principal, query_id: &str) -> Result<(), Problem> {
        self.engine().cancel(&principal.workspace, query_id)
    }

    /// Answers a question of the service's own with all its rows.
    pub(crate) async fn rows(
        &self,
        principal: &Principal,
        sql: &str,
        params: Value,
        at: ReadAt,
    ) -> Result<(Vec<Row>, Option<Position>), Problem> {
        let call = SqlCall { sql: sql.to_owned(), params, at, ..SqlCall::default() };
        let answer = self.sql(principal, call).await?;
        let position = answer.stream.position();
        Ok((collect(answer.stream).await?, position))
    }

    /// Answers a request of the service's own, past the gate and the calendar.
    pub(crate) async fn small_rows(&self, request: SqlRequest) -> Result<Vec<Row>, Problem> {
        collect(self.engine().sql(request).await?).await
    }

    /// What `now()` says: the time of the last event of a past position, so that the answer never changes.
    pub(crate) fn now_at(&self, as_of: Option<Position>) -> Result<Timestamp, Problem> {
        let Some(position) = as_of else { return Ok(self.clock().now()) };
        let before = Position::new(position.get() - 1);
        let limit = partitura_log::ReadLimit { events: 1, bytes: 1 };
        let found = self.log().read(before, limit)?;
        Ok(found.first().map_or_else(|| self.clock().now(), |event| event.recorded_at))
    }

    pub(crate) fn sql_limits(&self, call: &SqlCall) -> Result<SqlLimits, Problem> {
        let settings = self.settings();
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let time = call.timeout_ms.map_or(settings.query_timeout, Duration::from_millis);
        let over = |name: &str, given: u128, max: u128| {
            let detail = format!("`{name}` = {given} is not between 1 and {max}");
            Problem::invalid_field(name, "out_of_range", detail).hint("/v1/limits shows every limit")
        };
        if time.is_zero() || time > settings.query_timeout_max {
            return Err(over("timeout_ms", time.as_millis(), settings.query_timeout_max.as_millis()));
        }
        let rows = call.limit.unwrap_or(settings.query_rows_max);
        if rows == 0 || rows > settings.query_rows_max {
            return Err(over("limit", rows as u128, settings.query_rows_max as u128));
        }
        let bytes_max = call.bytes.unwrap_or(u64::MAX).min(settings.query_bytes_max);
        Ok(SqlLimits { rows, bytes: bytes(bytes_max), memory: bytes(settings.query_memory_max), time })
    }
}

async fn collect(stream: SqlStream) -> Result<Vec<Row>, Problem> {
    let mut bytes = Vec::new();
    let mut chunks = Box::pin(encode(stream, Format::Json));
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("rows cannot be read back: {error}")))
}

fn params(given: Value) -> Result<Params, Problem> {
    match given {
        Value::Null => Ok(Params::default()),
        Value::Array(positional) => Ok(Params { positional, named: BTreeMap::new() }),
        Value::Object(named) => {
            let named = named.into_iter().map(|(name, value)| (name.trim_start_matches('$').to_owned(), value));
            Ok(Params { positional: Vec::new(), named: named.collect() })
        }
        _ => Err(Problem::invalid_field("params", "wrong_type", "`params` is an object of names or an array")),
    }
}

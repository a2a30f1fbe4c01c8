//! What a caller asks: the text, its parameters, the point in the past, the limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Weekday;
use chrono_tz::Tz;
use partitura_event::{Position, Timestamp, Workspace};
use serde_json::Value;

use crate::pg::session::PgSession;

/// One SQL query of one workspace.
#[derive(Clone, Debug)]
pub struct SqlRequest {
    /// Whose tables.
    pub workspace: Workspace,
    /// One read-only statement.
    pub sql: String,
    /// Values for `$1`, `$2`, … and `$name`.
    pub params: Params,
    /// Answer as of this position; `None` for the newest snapshot.
    pub as_of: Option<Position>,
    /// What `now()` says; for a query `as_of` the caller gives the time of that position.
    pub now: Timestamp,
    /// Bounds of this query.
    pub limits: SqlLimits,
    /// How date functions read an instant.
    pub zone: Zone,
    /// Name by which the query is listed and cancelled; unique among the running ones of a workspace.
    pub query_id: String,
    /// The Postgres session that asks: it sees `pg_catalog` and may write Postgres' SQL.
    pub pg: Option<Arc<PgSession>>,
}

impl SqlRequest {
    /// Asks `sql` with default limits, in UTC, of the newest snapshot.
    pub fn new(workspace: Workspace, sql: impl Into<String>, now: Timestamp, query_id: impl Into<String>) -> Self {
        Self {
            workspace,
            sql: sql.into(),
            params: Params::default(),
            as_of: None,
            now,
            limits: SqlLimits::default(),
            zone: Zone::default(),
            query_id: query_id.into(),
            pg: None,
        }
    }
}

/// Values that the text refers to. They become literals of the parsed statement, never text.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// `$1` is the first.
    pub positional: Vec<Value>,
    /// `$agent` is `named["agent"]`.
    pub named: BTreeMap<String, Value>,
    /// SQL types of `$1`, `$2`, …: what is given is cast to them, and what is open is planned as one of them.
    pub types: Vec<Option<&'static str>>,
}

/// Bounds of one query. What is over `rows` or `bytes` is cut and said so; the others fail the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlLimits {
    /// Rows answered at most.
    pub rows: usize,
    /// Bytes of answered columns at most, uncompressed.
    pub bytes: usize,
    /// Bytes that sorts, joins and aggregates may hold; beyond it they spill or fail.
    pub memory: usize,
    /// Time from acceptance to the last row.
    pub time: Duration,
}

impl SqlLimits {
    /// No limit of rows or bytes, for an answer that is streamed.
    pub const WHOLE: usize = usize::MAX / 4;
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { rows: 100_000, bytes: 256 << 20, memory: 1 << 30, time: Duration::from_secs(30) }
    }
}

/// The workspace's calendar: the zone in which days begin and the day on which weeks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone {
    /// IANA zone.
    pub tz: Tz,
    /// First day of the week.
    pub week_start: Weekday,
}

impl Default for Zone {
    fn default() -> Self {
        Self { tz: Tz::UTC, week_start: Weekday::Mon }
    }
}

//! What there is: tables and views, event kinds, limits.

use std::sync::Arc;

use partitura_event::{ErrorClass, Problem, kind, schema};
use partitura_query::{SqlLimits, TableDescription};
use serde_json::{Value, json};

use crate::read_at::ReadAt;
use crate::service::Service;
use crate::sql::SqlCall;
use crate::subscriptions::definition::WINDOW_MAX;
use crate::subscriptions::registry::SUBSCRIPTIONS_MAX;
use crate::subscriptions::state::PARKED_MAX;
use crate::webhooks::record::ATTEMPTS_MAX;
use crate::webhooks::registry::WEBHOOKS_MAX;

impl Service {
    /// Describes every table and view. They are the same for every workspace.
    pub async fn tables(&self) -> Result<Arc<Vec<TableDescription>>, Problem> {
        self.engine().describe_tables().await
    }

    /// Describes one table. Errors with near names.
    pub async fn table(&self, name: &str) -> Result<TableDescription, Problem> {
        self.engine().describe_table(name).await
    }

    /// Returns the query that reads all rows of one table. A file must be whole, so they have no limit.
    pub(crate) async fn table_call(&self, name: &str, at: ReadAt) -> Result<(SqlCall, SqlLimits), Problem> {
        let table = self.table(name).await?;
        // The name is one of the catalog's, never the caller's text.
        let quoted: Vec<_> = table.name.split('.').map(|part| format!("\"{part}\"")).collect();
        let sql = format!("SELECT * FROM {}", quoted.join("."));
        let settings = self.settings();
        let memory = usize::try_from(settings.query_memory_max).unwrap_or(usize::MAX);
        let limits =
            SqlLimits { rows: SqlLimits::WHOLE, bytes: SqlLimits::WHOLE, memory, time: settings.query_timeout_max };
        Ok((SqlCall { sql, at, ..SqlCall::default() }, limits))
    }

    /// Lists the event kinds.
    pub fn schemas(&self) -> Vec<Value> {
        let kinds = kind::all().iter();
        kinds.map(|spec| json!({"type": spec.type_name, "description": spec.doc})).collect()
    }

    /// Returns the JSON Schema of a kind. Errors with near names.
    pub fn schema(&self, name: &str) -> Result<Value, Problem> {
        schema::json_schema(name).ok_or_else(|| {
            Problem::new(ErrorClass::NotFound, format!("there is no event kind `{name:.60}`"))
                .code("unknown_kind")
                .suggest(name, kind::all().iter().map(|spec| spec.type_name))
                .hint("events of unknown types are kept and can be queried; /v1/schemas lists the known ones")
        })
    }

    /// Returns the limits by name.
    pub fn limits(&self) -> Value {
        let settings = self.settings();
        let ingest = self.ingest_limits();
        json!({
            "event_bytes_max": settings.event_bytes_max,
            "batch_bytes_max": settings.batch_bytes_max,
            "otlp_bytes_max": settings.otlp_bytes_max,
            "batch_events_max": settings.batch_events_max,
            "inflation_max": settings.inflation_max,
            "json_depth_max": partitura_ingest::limits::MAX_DEPTH,
            "json_keys_max": ingest.keys_per_object,
            "json_values_max": ingest.values_per_event,
            "id_bytes_max": partitura_event::id::MAX_ID_BYTES,
            "body_memory_max": settings.body_memory_max,
            "appends_max": settings.appends_max,
            "queries_max": settings.queries_max,
            "queries_waiting_max": settings.queries_waiting_max,
            "connections_max": settings.connections_max,
            "subscriptions_max": settings.subscriptions_max,
            "live_queries_max": settings.live_queries_max,
            "heartbeat_ms": settings.heartbeat.as_millis() as u64,
            "durable_subscriptions_max": SUBSCRIPTIONS_MAX,
            "subscription_window_max": WINDOW_MAX,
            "subscription_parked_max": PARKED_MAX,
            "webhooks_max": WEBHOOKS_MAX,
            "webhook_attempts_max": ATTEMPTS_MAX,
            "webhook_timeout_ms": settings.webhook_timeout.as_millis() as u64,
            "sql_bytes_max": partitura_query::SQL_BYTES_MAX,
            "query_rows_max": settings.query_rows_max,
            "query_bytes_max": settings.query_bytes_max,
            "query_memory_max": settings.query_memory_max,
            "query_timeout_ms": settings.query_timeout.as_millis() as u64,
            "query_timeout_ms_max": settings.query_timeout_max.as_millis() as u64,
            "downloads_bytes_max": settings.downloads_bytes_max,
            "downloads_files_max": settings.downloads_files_max,
            "downloads_keep_ms": settings.downloads_keep.as_millis() as u64,
            "mcp_rows_max": settings.mcp_rows_max,
            "mcp_bytes_max": settings.mcp_bytes_max,
            "wait_ms_max": settings.wait_max.as_millis() as u64,
            "page_max": 1000,
        })
    }
}

//! Telemetry of one tool, as its own code or documentation says it is sent: files in `dialects/`, written in short.
//! `PARTITURA_BLESS=1 cargo test` writes the rows that were found into them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::request::{START, export};
use crate::server::Server;

/// Calls, as a fixture lists them.
const ROWS: &str = "SELECT kind, attributes ->> 'convention' AS convention, attributes ->> 'convention_version' AS version, \
    CASE WHEN length(interaction_id) = 49 THEN right(interaction_id, 2) ELSE split_part(interaction_id, '/', 1) END AS call, \
    right(parent_id, 2) AS parent, agent_id, task_id, conversation_id, user_id, provider, model, tool_name, tokens_in, \
    tokens_out, tokens_cache_read AS cache_read, tokens_cache_write AS cache_write, tokens_reasoning AS reasoning, cost, \
    latency_ms, ttft_ms, status, finish_reason, error, input, output, attributes ->> 'usage_rollup' AS usage_rollup \
    FROM interactions ORDER BY started_at, time, kind, call, interaction_id";

/// What they say of work, by name.
const WORK: [(&str, &str); 9] = [
    ("tasks", "SELECT task_id, title, type, status, agent_id, parent_id, implied FROM tasks ORDER BY task_id"),
    ("attempts", "SELECT task_id, agent_id, number, cause, status, result FROM attempts ORDER BY task_id, number"),
    ("handoffs", "SELECT task_id, from_agent, to_agent, number, reason FROM handoffs ORDER BY time"),
    (
        "artifacts",
        "SELECT CASE WHEN kind = 'commit' THEN artifact_id END AS id, kind, task_id FROM artifacts ORDER BY kind",
    ),
    ("agents", "SELECT agent_id, name, version FROM agents ORDER BY agent_id"),
    ("aliases", "SELECT alias, agent_id FROM agent_aliases ORDER BY alias"),
    ("conversations", "SELECT conversation_id, interactions, tokens_in, tokens_out FROM conversations ORDER BY 1"),
    ("outcomes", "SELECT name, value, label FROM outcomes ORDER BY name"),
    (
        "metrics",
        "SELECT name, kind, unit, temporality, monotonic, value, count, sum, min, max, buckets, labels, agent_id, \
         conversation_id, model FROM metrics ORDER BY name, labels",
    ),
];

/// One fixture.
pub struct Fixture {
    pub name: String,
    pub json: Value,
    path: PathBuf,
}

/// Returns all fixtures.
pub fn all() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/otlp/dialects");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("one").path()).collect();
    paths.sort();
    let read = |path: PathBuf| Fixture {
        name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
        json: serde_json::from_slice(&fs::read(&path).expect("reads"))
            .unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        path,
    };
    paths.into_iter().map(read).collect()
}

/// Writes a value in OTLP/JSON.
fn any(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Array(items) => json!({"arrayValue": {"values": items.iter().map(any).collect::<Vec<_>>()}}),
        Value::Object(_) => json!({"kvlistValue": {"values": attributes(value)}}),
        Value::Null => json!({}),
    }
}

fn attributes(map: &Value) -> Vec<Value> {
    let members = map.as_object().into_iter().flatten();
    members.map(|(key, value)| json!({"key": key, "value": any(value)})).collect()
}

fn nanos(millis: &Value) -> String {
    (START + millis.as_u64().expect("milliseconds") * 1_000_000).to_string()
}

fn span_id(number: &Value) -> String {
    match number.as_u64() {
        None | Some(0) => String::new(),
        Some(number) => format!("{number:016x}"),
    }
}

impl Fixture {
    /// Returns the trace that its spans are of.
    pub fn trace(&self) -> String {
        // One for each fixture: several are sent to one server.
        let hash = self.name.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        format!("4bf92f3577b34da6{hash:016x}")
    }

    fn list(&self, name: &str) -> &[Value] {
        self.json[name].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns its spans.
    pub fn spans(&self) -> Vec<Value> {
        let one = |span: &Value| {
            let events = span["events"].as_array().into_iter().flatten();
            let event = |event: &Value| json!({"name": event["name"], "timeUnixNano": nanos(&span["end"]), "attributes": attributes(&event["attributes"])});
            json!({
                "traceId": self.trace(), "spanId": span_id(&span["id"]), "parentSpanId": span_id(&span["parent"]),
                "name": span["name"], "startTimeUnixNano": nanos(&span["start"]), "endTimeUnixNano": nanos(&span["end"]),
                "attributes": attributes(&span["attributes"]), "status": span.get("status").unwrap_or(&json!({})),
                "events": events.map(event).collect::<Vec<_>>(),
            })
        };
        self.list("spans").iter().map(one).collect()
    }

    /// Returns its log records.
    pub fn logs(&self) -> Vec<Value> {
        let one = |log: &Value| {
            let in_span = log.get("span").is_some();
            json!({
                "timeUnixNano": nanos(&log["at"]), "eventName": log["name"], "body": any(&log["body"]),
                "traceId": if in_span { self.trace() } else { String::new() }, "spanId": span_id(&log["span"]),
                "attributes": attributes(&log["attributes"]),
            })
        };
        self.list("logs").iter().map(one).collect()
    }

    /// Returns its metrics.
    pub fn metrics(&self) -> Vec<Value> {
        let point = |point: &Value| {
            let mut made: Map<String, Value> = point.as_object().expect("a point").clone();
            made.insert("startTimeUnixNano".into(), json!(START.to_string()));
            let (at, labels) = (made.remove("at").expect("a time"), made.remove("labels").unwrap_or_default());
            made.insert("timeUnixNano".into(), json!(nanos(&at)));
            made.insert("attributes".into(), json!(attributes(&labels)));
            if let Some(value) = made.remove("value") {
                made.insert("asDouble".into(), value);
            }
            Value::Object(made)
        };
        let one = |metric: &Value| {
            let mut made = metric.clone();
            for kind in ["gauge", "sum", "histogram", "exponentialHistogram", "summary"] {
                if let Some(points) = made.get_mut(kind).and_then(|kind| kind.get_mut("dataPoints")) {
                    *points = points.as_array().expect("points").iter().map(point).collect();
                }
            }
            made
        };
        self.list("metrics").iter().map(one).collect()
    }

    /// Wraps items of one signal into a request.
    pub fn request(&self, signal: &str, items: &[Value]) -> (&'static str, Value) {
        let (path, [resources, scopes, list]) = match signal {
            "spans" => ("/v1/traces", ["resourceSpans", "scopeSpans", "spans"]),
            "logs" => ("/v1/logs", ["resourceLogs", "scopeLogs", "logRecords"]),
            _ => ("/v1/metrics", ["resourceMetrics", "scopeMetrics", "metrics"]),
        };
        let resource = json!({"attributes": attributes(&self.json["resource"])});
        let body = json!({resources: [{"resource": resource, scopes: [{"scope": self.json["scope"], list: items}]}]});
        (path, body)
    }

    /// Sends all it has, each signal in one request; returns the position.
    pub async fn send(&self, server: &Server) -> u64 {
        let mut position = 0;
        for (signal, items) in [("spans", self.spans()), ("logs", self.logs()), ("metrics", self.metrics())] {
            if !items.is_empty() {
                let (path, body) = self.request(signal, &items);
                position = export(server, path, &body).await;
            }
        }
        position
    }

    /// Compares rows and work with what is there, or writes what is there.
    pub async fn check(&self, server: &Server, position: u64) {
        let rows = short(&server.rows(ROWS, position).await);
        let mut work = Map::new();
        for (name, sql) in WORK {
            let found = short(&server.rows(sql, position).await);
            if found != json!([]) {
                work.insert(name.to_owned(), found);
            }
        }
        let work = Value::Object(work);
        if std::env::var_os("PARTITURA_BLESS").is_some() {
            fs::write(&self.path, self.written(&rows, &work)).expect("writes");
            return;
        }
        assert_eq!(rows, self.json["rows"], "rows of {}", self.name);
        assert_eq!(work, self.json["work"], "work of {}", self.name);
    }

    fn written(&self, rows: &Value, work: &Value) -> String {
        let lines = |items: &Value| {
            let items: Vec<_> = items.as_array().into_iter().flatten().map(Value::to_string).collect();
            if items.is_empty() { "[]".to_owned() } else { format!("[\n  {}\n ]", items.join(",\n  ")) }
        };
        let mut parts = Vec::new();
        for name in ["about", "convention", "resource", "scope"] {
            parts.push(format!(" {:?}: {}", name, self.json[name]));
        }
        for name in ["spans", "logs", "metrics"] {
            parts.push(format!(" {:?}: {}", name, lines(&self.json[name])));
        }
        for name in ["calls", "tokens_in", "tokens_out"] {
            parts.push(format!(" {:?}: {}", name, self.json[name]));
        }
        parts.push(format!(" \"rows\": {}", lines(rows)));
        let work: Vec<_> =
            work.as_object().expect("work").iter().map(|(name, rows)| format!("{name:?}: {rows}")).collect();
        parts.push(format!(" \"work\": {{\n  {}\n }}", work.join(",\n  ")));
        format!("{{\n{}\n}}\n", parts.join(",\n"))
    }
}

/// Leaves out what is null, and the zeros that only the scale of an amount adds.
fn short(rows: &Value) -> Value {
    let cell = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) if name == "cost" => Some((name.clone(), json!(text.trim_end_matches('0')))),
        value => Some((name.clone(), value.clone())),
    };
    let row = |row: &Value| row.as_object().into_iter().flatten().filter_map(cell).collect::<Map<_, _>>().into();
    rows.as_array().expect("rows").iter().map(row).collect::<Vec<Value>>().into()
}

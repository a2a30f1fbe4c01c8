//! How well telemetry is understood: what became of the latest records of each source, and what was refused.

use std::collections::BTreeMap;

use partitura_event::{Position, Problem};
use partitura_projection::otlp::record::Record;
use partitura_projection::otlp::{Coverage, coverage};
use serde_json::{Map, Value, json};

use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;

/// Latest records that are looked at: of spans and log events, and as many of metrics.
const RECORDS: usize = 100;
/// Most names that are listed of each sort.
const NAMES: usize = 100;

const LATEST: [&str; 2] = [
    "SELECT source, data FROM events WHERE type IN ('otlp.traces', 'otlp.logs') ORDER BY position DESC LIMIT 100",
    "SELECT source, data FROM events WHERE type = 'otlp.metrics' ORDER BY position DESC LIMIT 100",
];

/// What was found of one source.
#[derive(Default)]
struct Found {
    records: u64,
    shortened: u64,
    coverage: Coverage,
}

impl Service {
    /// Says of each source of the latest records what was recognised and what was not, and what was refused.
    pub async fn ingest_health(&self, principal: &Principal) -> Result<(Value, Option<Position>), Problem> {
        let (mut sources, mut looked_at, mut answered) = (BTreeMap::<String, Found>::new(), 0, None);
        for sql in LATEST {
            let (rows, position) = self.rows(principal, sql, Value::Null, ReadAt::default()).await?;
            looked_at += rows.len();
            answered = position;
            for row in rows {
                let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
                let found = sources.entry(text("source").to_owned()).or_default();
                let data: Map<String, Value> = serde_json::from_str(text("data")).unwrap_or_default();
                look(&data, found);
            }
        }
        let mut since_start = self.intake().sources(&principal.workspace);
        for name in since_start.keys() {
            sources.entry(name.clone()).or_default();
        }
        let nothing = || json!({"refused": {}, "redacted": {}});
        let sources: Vec<_> = sources
            .into_iter()
            .map(|(source, found)| shown(&source, found, since_start.remove(&source).unwrap_or_else(nothing)))
            .collect();
        let (items, requests) = self.intake().refused(&principal.workspace);
        let health = json!({
            "position": answered,
            "latest_records": looked_at,
            "latest_records_max": RECORDS * LATEST.len(),
            "sources": sources,
            "refused_since_start": items,
            "refused_requests_since_start": requests,
        });
        Ok((health, answered))
    }
}

fn look(data: &Map<String, Value>, found: &mut Found) {
    found.records += 1;
    found.shortened += u64::from(data.contains_key("shortened"));
    let otlp = data.get("otlp").and_then(|otlp| serde_json::value::to_raw_value(otlp).ok());
    if let Some(Ok(record)) = otlp.map(|otlp| Record::read(&otlp)) {
        coverage(&record, &mut found.coverage);
    }
}

fn shown(source: &str, found: Found, since_start: Value) -> Value {
    let Found { records, shortened, coverage } = found;
    json!({
        "source": source,
        "records": records,
        "shortened_records": shortened,
        "items": coverage.items,
        "recognised": coverage.recognised,
        "no_calls": coverage.no_calls,
        "unknown": coverage.unknown,
        "unknown_names": most(coverage.unknown_names),
        "attributes": {
            "recognised": most(coverage.attributes_read),
            "unknown": most(coverage.attributes_unread),
            "dropped_by_exporter": coverage.attributes_dropped,
        },
        "events_dropped_by_exporter": coverage.events_dropped,
        "links_dropped_by_exporter": coverage.links_dropped,
        "metric_points": coverage.points,
        "metric_names": most(coverage.metrics),
        "since_start": since_start,
    })
}

/// Keeps the names that were counted most, ties by name.
fn most(names: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut counted: Vec<_> = names.into_iter().collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.into_iter().take(NAMES).collect()
}

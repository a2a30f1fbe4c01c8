//! How well telemetry is understood: what became of the latest records of each source, and what was refused.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use partitura_event::{Position, Problem, Workspace};
use partitura_projection::otlp::record::Record;
use partitura_projection::otlp::{Coverage, coverage};
use serde_json::{Map, Value, json};

use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;

/// Latest records that are looked at.
const RECORDS: usize = 100;
/// Most names that are listed of each sort.
const NAMES: usize = 100;

const LATEST: &str = "SELECT source, data FROM events WHERE type IN ('otlp.traces', 'otlp.logs') \
    ORDER BY position DESC LIMIT 100";

/// Items that were refused since the start, by workspace, kind of record and reason.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<(Workspace, &'static str), Counts>>);

/// How many items were refused, by code.
type Counts = BTreeMap<&'static str, u64>;

impl Refusals {
    /// Counts what was refused of a request; `kind` is that of its records, or the name of its route's platform.
    pub fn add(&self, workspace: &Workspace, kind: &'static str, refused: &BTreeMap<&'static str, u64>) {
        if refused.is_empty() {
            return;
        }
        let mut all = self.0.lock();
        let known = all.entry((workspace.clone(), kind)).or_default();
        for (reason, count) in refused {
            *known.entry(reason).or_default() += count;
        }
    }

    fn of(&self, workspace: &Workspace) -> Value {
        let all = self.0.lock();
        let own = all.iter().filter(|((known, _), _)| known == workspace);
        own.map(|((_, kind), reasons)| ((*kind).to_owned(), json!(reasons))).collect::<Map<_, _>>().into()
    }
}

impl Service {
    /// Says of each source of the latest records what was recognised and what was not, and what was refused.
    pub async fn ingest_health(&self, principal: &Principal) -> Result<(Value, Option<Position>), Problem> {
        let (rows, position) = self.rows(principal, LATEST, Value::Null, ReadAt::default()).await?;
        let looked_at = rows.len();
        let mut sources: BTreeMap<String, (u64, Coverage)> = BTreeMap::new();
        for row in rows {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let (records, found) = sources.entry(text("source").to_owned()).or_default();
            *records += 1;
            let data: Map<String, Value> = serde_json::from_str(text("data")).unwrap_or_default();
            let otlp = data.get("otlp").and_then(|otlp| serde_json::value::to_raw_value(otlp).ok());
            if let Some(Ok(record)) = otlp.map(|otlp| Record::read(&otlp)) {
                coverage(&record, found);
            }
        }
        let sources: Vec<_> =
            sources.into_iter().map(|(source, (records, found))| shown(&source, records, found)).collect();
        let health = json!({
            "position": position,
            "latest_records": looked_at,
            "latest_records_max": RECORDS,
            "sources": sources,
            "refused_since_start": self.refusals().of(&principal.workspace),
        });
        Ok((health, position))
    }
}

fn shown(source: &str, records: u64, found: Coverage) -> Value {
    json!({
        "source": source,
        "records": records,
        "items": found.items,
        "recognised": found.recognised,
        "no_calls": found.no_calls,
        "unknown": found.unknown,
        "unknown_names": most(found.unknown_names),
        "attributes": {
            "recognised": most(found.attributes_read),
            "unknown": most(found.attributes_unread),
            "dropped_by_exporter": found.attributes_dropped,
        },
    })
}

/// Keeps the names that were counted most, ties by name.
fn most(names: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut counted: Vec<_> = names.into_iter().collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.into_iter().take(NAMES).collect()
}

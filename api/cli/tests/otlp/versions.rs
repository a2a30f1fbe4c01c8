//! A better translation is applied to the past by `rebuild`: rows change as they should, and nothing else does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use partitura_event::{Clock, SystemClock};
use partitura_log::{EventLog, LogSettings, SegmentLog};
use partitura_projection::otlp::{CURRENT, Translator};
use partitura_projection::{Projection, Projector, ProjectorSettings, builtin};
use partitura_table::schema::BASE_TABLES;
use partitura_table::{TableSettings, TableStore};
use serde_json::{Value, json};

use crate::fixture;
use crate::server::{Server, run};

/// Conventions that the older translator does not know.
const LATER: [&str; 4] = ["crewai", "google_adk", "pydantic_ai", "litellm"];

/// Makes the folds of an older translator.
fn older() -> &'static [Box<dyn Projection>] {
    let known: Vec<_> = CURRENT.dialects.iter().filter(|dialect| !LATER.contains(&dialect.name)).copied().collect();
    let translator = Box::leak(Box::new(Translator { version: CURRENT.version - 1, dialects: known.leak() }));
    builtin::with_translator(translator).leak()
}

/// Makes the tables of a data folder anew, with other folds than those that ship.
async fn project(folder: &Path, folds: &'static [Box<dyn Projection>]) {
    for name in ["tables", "search"] {
        fs::remove_dir_all(folder.join(name))
            .unwrap_or_else(|error| assert_eq!(error.kind(), std::io::ErrorKind::NotFound));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let log: Arc<dyn EventLog> =
        Arc::new(SegmentLog::open(&folder.join("log"), LogSettings::default(), clock.clone()).expect("the log opens"));
    let store = TableStore::open(&folder.join("tables"), TableSettings::default(), BASE_TABLES).await.expect("opens");
    let projector = Projector::with_projections(log, store.clone(), clock, ProjectorSettings::default(), folds);
    projector.catch_up().await.expect("catches up");
    store.flush().await.expect("flushes");
}

/// Returns the rows of every table, by name.
async fn dump(server: &Server, position: u64) -> BTreeMap<String, Value> {
    let mut tables = BTreeMap::new();
    for spec in BASE_TABLES {
        let key: Vec<_> = spec.key.iter().chain(&["_pos"]).map(|name| format!("\"{name}\"")).collect();
        let sql = format!("SELECT * FROM {} ORDER BY {}", spec.name, key.join(", "));
        tables.insert(spec.name.to_owned(), server.rows(&sql, position).await);
    }
    tables
}

#[tokio::test]
async fn a_newer_translator_maps_the_past_again() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    // What was told before: by telemetry of many conventions, and by events.
    let server = Server::start_in(&folder, &[]);
    for fixture in fixture::all() {
        fixture.send(&server).await;
    }
    let events = json!([
        {"type": "task.created", "source": "pm", "id": "1", "data": {"task_id": "T-1", "title": "By hand"}},
        {"type": "interaction.recorded", "source": "pm", "id": "2", "data": {"interaction_id": "i-1", "kind": "llm", "tokens_in": 3}},
    ]);
    let position = server.post("/v1/events", &events).await.expect(201).json["position"].as_u64().expect("a position");
    let shipped = dump(&server, position).await;
    server.terminate();

    // The same log, as an older program would have it in its tables.
    project(&folder, older()).await;
    let server = Server::start_in(&folder, &[]);
    let before = dump(&server, position).await;
    let by = "SELECT attributes ->> 'convention' AS by, attributes ->> 'convention_version' AS version, count(*) AS n \
              FROM otlp_interactions WHERE kind <> 'unknown' GROUP BY 1, 2 ORDER BY 1, 2";
    let old = server.rows(by, position).await;
    let versions = |rows: &Value| {
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| (row["by"].as_str().unwrap_or("-").to_owned(), row["version"].clone())).collect::<Vec<_>>()
    };
    assert!(versions(&old).iter().all(|(name, _)| !LATER.contains(&name.as_str())), "{old}");
    let tasks = "SELECT count(*) AS n FROM tasks WHERE task_id LIKE '0b9f6d4e-%1' AND status = 'completed'";
    assert_eq!(server.rows(tasks, position).await, json!([{"n": 0}]), "that a span was a task was not known");
    server.terminate();

    // The newer program rebuilds, as its user would.
    let rebuilt = run(&["rebuild", "--data", folder.to_str().expect("UTF-8")]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    let server = Server::start_in(&folder, &[]);
    let after = dump(&server, position).await;
    let new = server.rows(by, position).await;
    for name in LATER {
        assert!(versions(&new).iter().any(|(by, _)| by == name), "{name}: {new}");
    }
    let current = CURRENT.version.to_string();
    assert!(versions(&new).iter().all(|(by, version)| by == "-" || *version == json!(current)), "{new}");
    assert_eq!(server.rows(tasks, position).await, json!([{"n": 1}]));
    let differing = |other: &BTreeMap<String, Value>| {
        let tables = after.iter().filter(|(table, rows)| **rows != other[*table]);
        tables.map(|(table, _)| table.clone()).collect::<Vec<_>>()
    };
    assert!(differing(&shipped).is_empty(), "not as if it had always been so: {:?}", differing(&shipped));
    // `handoffs` and `interactions` are views that show those of telemetry too.
    let changed = [
        "agents",
        "attempts",
        "documents",
        "handoffs",
        "interactions",
        "metrics",
        "otlp_handoffs",
        "otlp_interactions",
        "tasks",
    ];
    assert_eq!(differing(&before), changed, "what telemetry tells of changed, and nothing else");
}

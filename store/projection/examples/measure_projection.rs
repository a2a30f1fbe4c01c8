//! Measures the fold: events per second from a log in memory to tables on disk, first live, then as a rebuild.
//!
//! `cargo run --release -p partitura-projection --example measure_projection [EVENTS]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use partitura_event::{
    Draft, EventId, EventType, Expected, Fingerprint, Source, StreamName, SystemClock, Timestamp, Workspace,
};
use partitura_log::{AppendRequest, EventLog, MemoryLog};
use partitura_projection::{Projector, ProjectorSettings, RebuildRequest};
use partitura_table::{BASE_TABLES, TableSettings, TableStore};
use serde_json::json;

const BASE: i64 = 1_767_600_000_000_000;

/// Returns the events of one task: its life, eight calls with texts, and an outcome.
fn life(task: u64) -> Vec<(&'static str, serde_json::Value)> {
    let (id, agent) = (format!("task-{task}"), format!("agent-{}", task % 7));
    let mut events = vec![
        (
            "task.created",
            json!({"task_id": id, "title": format!("Task {task}"), "type": "bugfix", "project_id": "core"}),
        ),
        ("task.assigned", json!({"task_id": id, "agent_id": agent})),
        ("task.started", json!({"task_id": id})),
    ];
    let text = "The quick brown fox jumps over the lazy dog, and then it reads the logs again. ".repeat(4);
    for call in 0..8 {
        let data = json!({
            "interaction_id": format!("{id}-{call}"), "kind": "llm", "agent_id": agent, "task_id": id,
            "provider": "anthropic", "model": "claude-sonnet-4-5", "input": text, "output": text,
            "latency_ms": 1200.5, "tokens_in": 900 + call, "tokens_out": 120, "cost": "0.0045", "status": "ok",
        });
        events.push(("interaction.recorded", data));
    }
    events.push(("task.completed", json!({"task_id": id, "summary": "Done."})));
    let outcome = json!({"task_id": id, "name": "tests", "success": !task.is_multiple_of(5), "evaluator": "code"});
    events.push(("outcome.recorded", outcome));
    events
}

async fn fill(log: &MemoryLog, count: u64) {
    let workspace = Workspace::local();
    let mut number = 0;
    for task in 0.. {
        let mut drafts = Vec::new();
        for (kind, data) in life(task) {
            number += 1;
            let data = data.to_string();
            drafts.push(Draft {
                workspace: workspace.clone(),
                source: Source::new("measure").expect("a source"),
                id: EventId::new(format!("e{number}")).expect("an id"),
                kind: EventType::new(kind).expect("a type"),
                subject: None,
                stream: StreamName::new(format!("task/{task}")).expect("a stream"),
                time: Timestamp::from_micros(BASE + number as i64 * 1_000).expect("a time"),
                actor: None,
                causation: None,
                correlation: None,
                traceparent: None,
                fingerprint: Fingerprint::of(data.as_bytes()),
                data: partitura_event::Payload::new(data).expect("JSON"),
                expected: Expected::Any,
            });
        }
        log.append(AppendRequest::new(workspace.clone(), drafts)).await.expect("appends");
        if number >= count {
            return;
        }
    }
}

fn report(what: &str, events: u64, took: Duration) {
    println!("{what}: {events} events in {took:.2?}, {:.0} events/s", events as f64 / took.as_secs_f64());
}

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let clock = Arc::new(SystemClock);
    let log = Arc::new(MemoryLog::new(clock.clone()));
    fill(&log, count).await;
    let events = log.head().map_or(0, |head| head.get());
    let folder = tempfile::tempdir().expect("a folder");
    let store = TableStore::open(folder.path(), TableSettings::default(), BASE_TABLES).await.expect("opens");
    let projector = Projector::new(log, store.clone(), clock, ProjectorSettings::default());
    let started = Instant::now();
    projector.catch_up().await.expect("catches up");
    report("visible", events, started.elapsed());
    store.flush().await.expect("flushes");
    report("durable", events, started.elapsed());
    let settings = TableSettings::default().while_building();
    let request = RebuildRequest { tables: Vec::new(), folder: folder.path().with_extension("next"), settings };
    let started = Instant::now();
    let rebuilt = projector.rebuild(request, Arc::new(|_| {})).await.expect("rebuilds");
    report("rebuilt", rebuilt.events, started.elapsed());
}

//! How fast bodies become drafts: `cargo bench -p partitura-ingest`. Prints MB/s and events/s of one thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use partitura_event::{Source, Timestamp, Workspace};
use partitura_ingest::{ContentType, Context, IdGenerator, Limits, RedactSettings, Redactions, Redactor, decode};

/// Running text without and with what a secret might look like.
const PLAIN: &str = "The migration failed because the column was renamed in one place and not in the other; the agent \
    read the schema, wrote a test that shows it, and changed both. All tests pass now, and the review is open. ";
const NEEDLES: &str = "See https://example.org/docs#token for the api_key setting; the secret is in the vault, not in \
    this file. The basic idea: key: value, tokens: 12345, password = None until the task-17 bearer arrives. ";

fn main() {
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    for (name, text) in [("plain text", PLAIN.repeat(5)), ("text full of needles", NEEDLES.repeat(5))] {
        let (rounds, took) = measure(|| {
            black_box(redactor.text(black_box(&text), &mut Redactions::new()));
        });
        report(&format!("redactor, {name}"), rounds, text.len(), 1, took);
    }
    let (workspace, source) = (Workspace::local(), Source::new("bench").expect("a source"));
    let ids = IdGenerator::new(|| [0; 10]);
    let context = Context {
        workspace: &workspace,
        source: &source,
        now: Timestamp::MIN,
        ids: &ids,
        redactor: &redactor,
        limits: Limits::default(),
        strict: false,
        idempotent: false,
    };
    for (name, text) in [("plain text", PLAIN), ("text full of needles", NEEDLES)] {
        let events: Vec<String> = (0..100).map(|n| event(n, text)).collect();
        let body = format!("[{}]", events.join(","));
        let (rounds, took) = measure(|| {
            let decoded = decode(ContentType::Json, &[], black_box(body.as_bytes()), &context).expect("a batch");
            assert!(black_box(decoded).items.iter().all(Result::is_ok));
        });
        report(&format!("decode, 100 events of {} bytes, {name}", body.len() / 100), rounds, body.len(), 100, took);
    }
}

fn event(n: usize, text: &str) -> String {
    serde_json::json!({
        "type": "interaction.recorded", "source": "bench", "id": format!("e-{n}"), "time": "2026-01-05T10:00:00Z",
        "data": {
            "interaction_id": format!("i-{n}"), "kind": "llm", "agent_id": "claude", "task_id": "42", "model": "m-1",
            "input": text.repeat(2), "output": text, "tokens_in": 1200, "tokens_out": 340, "cost": "0.0123",
            "latency_ms": 812.5, "status": "ok"
        }
    })
    .to_string()
}

fn measure(mut work: impl FnMut()) -> (u32, Duration) {
    work();
    let begin = Instant::now();
    let mut rounds = 0;
    while begin.elapsed() < Duration::from_secs(1) {
        work();
        rounds += 1;
    }
    (rounds, begin.elapsed())
}

fn report(name: &str, rounds: u32, bytes: usize, events: u32, took: Duration) {
    let seconds = took.as_secs_f64();
    let megabytes = bytes as f64 * f64::from(rounds) / 1e6 / seconds;
    let rate = f64::from(rounds) * f64::from(events) / seconds;
    println!("{name}: {megabytes:.0} MB/s, {rate:.0}/s");
}

//! A history to ask about: calls alone, or whole lives of tasks. The nth event is the same in every run.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::client::Client;
use crate::dice::Dice;
use crate::{Failure, words};

/// Milliseconds of the first event, 2026-01-01.
const BEGIN: u64 = 1_767_225_600_000;
/// Milliseconds of 90 days, over which the events are spread.
const LENGTH: u64 = 90 * 86_400_000;
/// Events of one task's life.
pub const LIFE: u64 = 13;

/// What to write.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What kind of history.
    #[arg(long, value_enum, default_value = "calls")]
    pub kind: Kind,
    /// Number of the first event.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// How many events.
    #[arg(long)]
    pub events: u64,
    /// Clients that write.
    #[arg(long, default_value_t = 4)]
    pub clients: usize,
    /// Events in a request.
    #[arg(long, default_value_t = 1_000)]
    pub batch: u64,
}

/// What kind of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Interactions alone; every twentieth with a text.
    Calls,
    /// Tasks: created, assigned, started, eight calls with short texts, completed, judged.
    Lives,
}

impl Kind {
    /// Writes the nth event into `body`.
    pub fn push(self, body: &mut String, n: u64) {
        match self {
            Self::Calls => call(body, n, &format!("task-{}", n / 24), Some(240).filter(|_| n.is_multiple_of(20))),
            Self::Lives => life(body, n),
        }
    }

    /// Returns a JSON array of events.
    pub fn batch(self, from: u64, to: u64) -> String {
        let mut body = String::with_capacity((to - from) as usize * 400);
        body.push('[');
        for n in from..to {
            body.push_str(if n == from { "" } else { "," });
            self.push(&mut body, n);
        }
        body.push(']');
        body
    }
}

/// Writes the history, and returns at which pace it was taken.
pub async fn run(url: &str, options: Options) -> Result<Value, Failure> {
    let started = Instant::now();
    let next = Arc::new(AtomicU64::new(options.from));
    let end = options.from + options.events;
    let one = |_| tokio::spawn(one(url.to_owned(), options.clone(), next.clone(), end));
    let tasks: Vec<_> = (0..options.clients).map(one).collect();
    for task in tasks {
        task.await??;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(json!({
        "load": "history", "events": options.events, "seconds": seconds,
        "events_per_second": options.events as f64 / seconds,
    }))
}

async fn one(url: String, options: Options, next: Arc<AtomicU64>, end: u64) -> Result<(), Failure> {
    let http = Client::new(&url)?;
    loop {
        let from = next.fetch_add(options.batch, Ordering::Relaxed);
        if from >= end {
            return Ok(());
        }
        http.append(&options.kind.batch(from, (from + options.batch).min(end))).await?;
    }
}

fn head(body: &mut String, kind: &str, n: u64) {
    // A second and a bit of disorder, as clocks of several machines have.
    let time = BEGIN + n.wrapping_mul(2_654_435_761) % 1_000 + n * 1_800 % LENGTH;
    let _ = write!(body, r#"{{"type":"{kind}","source":"history","id":"{n}","time":{time},"data":{{"#);
}

fn call(body: &mut String, n: u64, task: &str, text: Option<usize>) {
    let mut dice = Dice::new(2, n);
    let agent = dice.skewed(&AGENTS);
    let model = dice.skewed(&MODELS);
    let status = if dice.below(25) == 0 { "error" } else { "ok" };
    let kind = dice.skewed(&["llm", "llm", "tool", "retrieval"]);
    head(body, "interaction.recorded", n);
    let long = dice.unit();
    let _ = write!(
        body,
        r#""interaction_id":"call-{n}","kind":"{kind}","agent_id":"{agent}","task_id":"{task}","conversation_id":"talk-{}","model":"{model}","tokens_in":{},"tokens_out":{},"latency_ms":{},"cost":"0.{:06}","status":"{status}""#,
        n / 8,
        (long * long * 8_000.0) as u64 + 20,
        dice.below(900) + 1,
        dice.below(30_000) as f64 / 4.0,
        dice.below(90_000),
    );
    if let Some(bytes) = text {
        body.push_str(r#","output":""#);
        words::fill(body, &mut dice, bytes);
        body.push('"');
    }
    body.push_str("}}");
}

fn life(body: &mut String, n: u64) {
    let (task, step) = (n / LIFE, n % LIFE);
    let mut dice = Dice::new(3, task);
    let agent = dice.skewed(&AGENTS);
    let id = format!("task-{task}");
    match step {
        0 => {
            head(body, "task.created", n);
            let kind = dice.skewed(&["bugfix", "feature", "migration", "review", "research"]);
            let _ = write!(
                body,
                r#""task_id":"{id}","title":"{}","type":"{kind}","project_id":"project-{}","priority":{}}}}}"#,
                words::about(task % 64, &mut dice, 6),
                dice.below(12),
                dice.below(5)
            );
        }
        1 => {
            head(body, "task.assigned", n);
            let _ = write!(body, r#""task_id":"{id}","agent_id":"{agent}"}}}}"#);
        }
        2 => {
            head(body, "task.started", n);
            let _ = write!(body, r#""task_id":"{id}","agent_id":"{agent}"}}}}"#);
        }
        11 => {
            head(body, "task.completed", n);
            let summary = words::about(task % 64, &mut dice, 10);
            let _ = write!(body, r#""task_id":"{id}","agent_id":"{agent}","summary":"{summary}"}}}}"#);
        }
        12 => {
            head(body, "outcome.recorded", n);
            let success = dice.below(10) < 8;
            let _ = write!(body, r#""task_id":"{id}","name":"tests","success":{success},"evaluator":"code"}}}}"#);
        }
        _ => call(body, n, &id, Some(160)),
    }
}

const AGENTS: [&str; 8] = ["claude", "chatgpt", "gemini", "grok", "copilot", "llama", "mistral", "qwen"];
const MODELS: [&str; 6] = ["large-3", "large-2", "medium-4", "small-4", "mini-1", "local-8b"];

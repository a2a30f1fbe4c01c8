//! Collects events with stable ids: the same simulation writes the same ones.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// Collects events.
pub struct Writer {
    run: String,
    written: u64,
    events: Vec<Value>,
}

impl Writer {
    /// Starts a run; its name is part of every id.
    pub fn new(run: String) -> Self {
        Self { run, written: 0, events: Vec::new() }
    }

    /// Adds an event.
    pub fn say(&mut self, kind: &str, at: DateTime<Utc>, data: Value) {
        self.written += 1;
        let id = format!("{}-{}", self.run, self.written);
        self.events.push(json!({
            "type": kind, "source": "simulator", "id": id, "time": rfc3339(at), "data": data,
        }));
    }

    /// Adds an event about a piece of work, all of whose events share `correlation`.
    pub fn say_of(&mut self, kind: &str, at: DateTime<Utc>, correlation: &str, data: Value) {
        self.say(kind, at, data);
        if let Some(event) = self.events.last_mut() {
            event["correlation"] = json!(correlation);
        }
    }

    /// Returns a name that no other run uses.
    pub fn name(&self, kind: &str, number: u64) -> String {
        format!("{kind}-{}-{number}", self.run.trim_start_matches("sim-"))
    }

    /// Returns what was added since the last call, by time.
    pub fn take(&mut self) -> Vec<Value> {
        let mut events = std::mem::take(&mut self.events);
        events.sort_by(|a, b| a["time"].as_str().cmp(&b["time"].as_str()));
        events
    }
}

/// Writes a time as events carry it.
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

//! What `/metrics` shows: the counters, and how log, tables, search, gates and disk stand at this moment.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use partitura_event::{Position, Problem, Timestamp};

use super::exposition::Exposition;
use super::process;
use crate::exports::ExportState;
use crate::gate::Load;
use crate::health::free_space;
use crate::key_calls::operators_only;
use crate::principal::{Principal, Scope};
use crate::service::Service;
use crate::subscriptions::subscription::Standing;

/// Parts of the data folder whose size is told.
const PARTS: [&str; 5] = ["log", "tables", "search", "spill", "downloads"];

impl Service {
    /// Returns the Prometheus text. It counts over all workspaces, so it is for who administers the server.
    pub async fn scrape(&self, principal: &Principal) -> Result<String, Problem> {
        principal.require(Scope::Admin)?;
        if !principal.is_operator() {
            return Err(operators_only("the metrics of all workspaces"));
        }
        let mut out = Exposition::new();
        self.metrics().write(&mut out);
        self.write_positions(&mut out);
        self.write_gates(&mut out);
        self.write_consumers(&mut out);
        for (name, help, value) in self.engines().gauges() {
            out.single(name, "gauge", help, value);
        }
        self.write_exports(&mut out);
        let (files, bytes) = self.shelf().load();
        out.single(
            "partitura_downloads_files",
            "gauge",
            "Files of rows that are kept for readers by URL.",
            files as f64,
        );
        out.single(
            "partitura_downloads_bytes",
            "gauge",
            "Bytes of files of rows, written or read now too.",
            bytes as f64,
        );
        let root = self.folder().root().to_path_buf();
        let sizes = move || PARTS.map(|part| (part, folder_bytes(&root.join(part))));
        // A folder of tables has many files; looking at them must not stop other requests.
        if let Ok(sizes) = tokio::task::spawn_blocking(sizes).await {
            out.family("partitura_disk_bytes", "gauge", "Bytes that the data folder takes on disk, by part.");
            sizes.iter().for_each(|(part, bytes)| out.sample(&[("part", part)], *bytes as f64));
        }
        let free = free_space(self.folder().root()).unwrap_or(0) as f64;
        out.single("partitura_disk_free_bytes", "gauge", "Free space of the data folder's disk.", free);
        out.family("partitura_build_info", "gauge", "Always 1; the labels say what runs.");
        out.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        process::write(&mut out);
        Ok(out.finish())
    }

    fn write_positions(&self, out: &mut Exposition) {
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let (at, head) = (number(self.published()), number(self.head()));
        let store = self.store().status();
        let gauges = [
            ("partitura_log_position", "Last position of the log.", head as f64),
            ("partitura_log_poisoned", "1 when the log stopped after a failed write.", self.engines().poisoned()),
            ("partitura_tables_position", "Position that tables show.", at as f64),
            ("partitura_tables_lag_events", "Events that tables do not show yet.", head.saturating_sub(at) as f64),
            ("partitura_tables_checkpoint", "Position up to which rows are in files.", number(store.checkpoint) as f64),
            ("partitura_tables_tail_rows", "Rows in memory only.", store.tail_rows as f64),
            ("partitura_tables_tail_bytes", "Bytes of rows in memory only.", store.tail_bytes as f64),
        ];
        for (name, help, value) in gauges {
            out.single(name, "gauge", help, value);
        }
        let flushes = store.flushes as f64;
        out.single("partitura_tables_flushes_total", "counter", "Times that rows were written to files.", flushes);
    }

    fn write_consumers(&self, out: &mut Exposition) {
        let all: Vec<_> = self.engines().subscriptions().all().iter().map(|one| one.standing()).collect();
        let sum = |value: fn(&Standing) -> usize| all.iter().map(value).sum::<usize>() as f64;
        let lag = all.iter().map(|one| one.lag_events).max().unwrap_or(0) as f64;
        let gauges = [
            ("partitura_subscriptions", "Durable subscriptions.", all.len() as f64),
            ("partitura_subscription_lag_events", "Positions after the checkpoint that is furthest back.", lag),
            ("partitura_subscription_in_flight", "Events that consumers have.", sum(|one| one.in_flight)),
            ("partitura_subscription_parked", "Events that were given up.", sum(|one| one.parked)),
            ("partitura_listeners", "Streams that follow the log.", self.engines().feed().listeners() as f64),
        ];
        for (name, help, value) in gauges {
            out.single(name, "gauge", help, value);
        }
        let (enabled, disabled) = self.engines().webhooks().counts();
        out.family("partitura_webhooks", "gauge", "Webhooks by state.");
        out.sample(&[("state", "enabled")], enabled as f64);
        out.sample(&[("state", "disabled")], disabled as f64);
    }

    fn write_exports(&self, out: &mut Exposition) {
        let all = self.exports().all();
        if all.is_empty() {
            return;
        }
        let mut family = |name, kind, help, value: &dyn Fn(&ExportState) -> f64| {
            out.family(name, kind, help);
            all.iter().for_each(|(export, state)| out.sample(&[("export", export.as_str())], value(state)));
        };
        let seconds = |time: Option<Timestamp>| time.map_or(0.0, |time| time.micros() as f64 / 1e6);
        family("partitura_export_runs_total", "counter", "Runs without error.", &|state| state.runs as f64);
        family("partitura_export_failures", "gauge", "Runs that failed since one did not.", &|state| {
            state.failures.into()
        });
        family(
            "partitura_export_success_time_seconds",
            "gauge",
            "When the last run ended that was without error.",
            &|state| seconds(state.succeeded_at),
        );
        family("partitura_export_position", "gauge", "Position of that run.", &|state| {
            state.last.map_or(0.0, |last| last.position as f64)
        });
    }

    fn write_gates(&self, out: &mut Exposition) {
        let gates = [
            ("appends", self.append_gate().load()),
            ("reads", self.read_gate().load()),
            ("subscriptions", self.subscription_gate().load()),
            ("live_queries", self.live_gate().load()),
        ];
        let mut gauge = |name, help, value: fn(&Load) -> usize| {
            out.family(name, "gauge", help);
            gates.iter().for_each(|(gate, load)| out.sample(&[("gate", gate)], value(load) as f64));
        };
        gauge("partitura_gate_running", "Requests under way.", |load| load.running);
        gauge("partitura_gate_places", "Requests that may be under way.", |load| load.places);
        gauge("partitura_gate_waiting", "Requests that wait for a place.", |load| load.waiting);
        out.family("partitura_gate_refused_total", "counter", "Requests that were turned away with 429.");
        gates.iter().for_each(|(gate, load)| out.sample(&[("gate", gate)], load.refused as f64));
        let taken = self.bodies().taken() as f64;
        out.single("partitura_body_memory_bytes", "gauge", "Memory of request bodies.", taken);
    }
}

/// Bytes of what `stat` calls a block.
const BLOCK: u64 = 512;

/// Returns the bytes that all files below a folder take on disk. What vanishes meanwhile is not counted.
fn folder_bytes(folder: &Path) -> u64 {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        Ok(meta) => meta.blocks() * BLOCK,
        Err(_) => 0,
    };
    entries.map(size).sum()
}

//! [`Intake`]: what was refused and what was taken out of telemetry since the start, by source.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use partitura_event::{Problem, Source, Workspace};
use partitura_ingest::otlp::{Export, Signal};
use serde_json::{Map, Value, json};

/// Most sources of a workspace that are told apart; further ones count as [`OTHERS`].
const SOURCES: usize = 1_000;
const OTHERS: &str = "(others)";

/// What became of telemetry that was not stored as it came, since the start.
#[derive(Debug, Default)]
pub struct Intake(Mutex<BTreeMap<Workspace, Of>>);

/// How many, by reason, rule or code.
type Counts = BTreeMap<String, u64>;

/// What is known of one workspace.
#[derive(Debug, Default)]
struct Of {
    sources: BTreeMap<String, OfSource>,
    /// Requests that were refused as a whole, by kind of record and code of the problem.
    requests: BTreeMap<&'static str, Counts>,
}

/// What is known of one source.
#[derive(Debug, Default)]
struct OfSource {
    /// Items that were refused, by kind of record and reason.
    refused: BTreeMap<&'static str, Counts>,
    /// What was taken out, by rule.
    redacted: Counts,
}

impl Of {
    fn source(&mut self, name: &str) -> &mut OfSource {
        let is_new = self.sources.len() >= SOURCES && !self.sources.contains_key(name);
        self.sources.entry(if is_new { OTHERS } else { name }.to_owned()).or_default()
    }
}

impl Intake {
    /// Counts what was refused of a request that was taken, and what was taken out of it.
    pub fn add(&self, workspace: &Workspace, signal: Signal, export: &Export) {
        if export.rejected.is_empty() && export.redactions.is_empty() {
            return;
        }
        let mut all = self.0.lock();
        let of = all.entry(workspace.clone()).or_default();
        for ((source, reason), count) in &export.rejected {
            let refused = of.source(source).refused.entry(signal.kind()).or_default();
            *refused.entry((*reason).to_owned()).or_default() += count;
        }
        for (source, found) in &export.redactions {
            let redacted = &mut of.source(source).redacted;
            for (rule, count) in found {
                *redacted.entry(rule.clone()).or_default() += count;
            }
        }
    }

    /// Counts what was refused of a request of another platform's shape; `kind` is the platform.
    pub fn refuse(&self, workspace: &Workspace, source: &Source, kind: &'static str, problem: &Problem) {
        let mut all = self.0.lock();
        let refused = &mut all.entry(workspace.clone()).or_default().source(source.as_str()).refused;
        *refused.entry(kind).or_default().entry(problem.code.to_owned()).or_default() += 1;
    }

    /// Counts a request that was refused as a whole.
    pub fn refuse_request(&self, workspace: &Workspace, signal: Signal, problem: &Problem) {
        let mut all = self.0.lock();
        let counts = all.entry(workspace.clone()).or_default().requests.entry(signal.kind()).or_default();
        *counts.entry(problem.code.to_owned()).or_default() += 1;
    }

    /// Returns, by source, what was refused and what was taken out.
    pub(super) fn sources(&self, workspace: &Workspace) -> BTreeMap<String, Value> {
        let all = self.0.lock();
        let sources = all.get(workspace).into_iter().flat_map(|of| &of.sources);
        sources.map(|(name, of)| (name.clone(), json!({"refused": of.refused, "redacted": of.redacted}))).collect()
    }

    /// Returns what was refused of all sources: items by reason, and requests by code.
    pub(super) fn refused(&self, workspace: &Workspace) -> (Value, Value) {
        let all = self.0.lock();
        let Some(of) = all.get(workspace) else { return (json!({}), json!({})) };
        let mut items: BTreeMap<&str, Counts> = BTreeMap::new();
        for (kind, reasons) in of.sources.values().flat_map(|source| &source.refused) {
            for (reason, count) in reasons {
                *items.entry(kind).or_default().entry(reason.clone()).or_default() += count;
            }
        }
        let requests: Map<_, _> = of.requests.iter().map(|(kind, codes)| ((*kind).to_owned(), json!(codes))).collect();
        (json!(items), requests.into())
    }
}

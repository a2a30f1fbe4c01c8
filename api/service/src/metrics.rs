//! Counters and latency histograms. Labels come from code, never from users.

mod exposition;
mod process;
mod scrape;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use exposition::Exposition;
pub use process::raise_file_limit;

/// Upper bounds of the histogram's buckets, in seconds.
const BOUNDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How long something took, in buckets; the last one is for what took longer than every bound.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// Counts one observation.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn write(&self, out: &mut Exposition, labels: &[(&str, &str)]) {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        out.histogram(labels, &BOUNDS, &counts, seconds);
    }
}

/// Method, route and status of an answered request.
type Answered = (&'static str, String, u16);

/// What the server counts.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: RwLock<BTreeMap<Answered, Arc<AtomicU64>>>,
    latency: RwLock<BTreeMap<(&'static str, String), Arc<Histogram>>>,
    /// Time of durable appends.
    pub append: Histogram,
    /// Time of SQL queries until their last row.
    pub sql: Histogram,
    /// Time of searches.
    pub search: Histogram,
    /// Events by result.
    pub appended: AtomicU64,
    /// Events that were there already.
    pub duplicates: AtomicU64,
    /// Events that were refused.
    pub refused: AtomicU64,
    /// Events handed to listeners.
    pub live_events: AtomicU64,
    /// Streams that the server ended: slow clients, revoked keys, a stop.
    pub live_ended: AtomicU64,
    /// Attempts of webhooks that their receivers took.
    pub webhook_delivered: AtomicU64,
    /// Attempts of webhooks that failed.
    pub webhook_failed: AtomicU64,
    redacted: RwLock<BTreeMap<String, u64>>,
}

impl Metrics {
    /// Counts one answered request; `route` is the pattern, not the path.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        count(&self.requests, (method, route.to_owned(), status)).fetch_add(1, Ordering::Relaxed);
        count(&self.latency, (method, route.to_owned())).observe(took);
    }

    /// Counts removals by rule.
    pub fn redacted<'a>(&self, counts: impl IntoIterator<Item = (&'a str, u64)>) {
        for (rule, n) in counts {
            *self.redacted.write().entry(rule.to_owned()).or_default() += n;
        }
    }

    /// Writes all of it.
    fn write(&self, out: &mut Exposition) {
        out.family("partitura_http_requests_total", "counter", "Answered requests.");
        for ((method, route, status), n) in self.requests.read().iter() {
            let labels = [("method", *method), ("route", route), ("status", &status.to_string())];
            out.sample(&labels, n.load(Ordering::Relaxed) as f64);
        }
        out.family("partitura_http_request_seconds", "histogram", "Time until the answer began.");
        for ((method, route), histogram) in self.latency.read().iter() {
            histogram.write(out, &[("method", method), ("route", route)]);
        }
        let timed = [
            ("partitura_append_seconds", "Time of durable appends.", &self.append),
            ("partitura_sql_seconds", "Time of SQL queries until their last row.", &self.sql),
            ("partitura_search_seconds", "Time of searches.", &self.search),
        ];
        for (name, help, histogram) in timed {
            out.family(name, "histogram", help);
            histogram.write(out, &[]);
        }
        out.family("partitura_events_total", "counter", "Events by result.");
        for (result, n) in [("new", &self.appended), ("duplicate", &self.duplicates), ("refused", &self.refused)] {
            out.sample(&[("result", result)], n.load(Ordering::Relaxed) as f64);
        }
        let (events, ended) = (self.live_events.load(Ordering::Relaxed), self.live_ended.load(Ordering::Relaxed));
        out.single("partitura_live_events_total", "counter", "Events handed to listeners.", events as f64);
        let help = "Event streams that the server ended: slow clients, revoked keys, a stop.";
        out.single("partitura_live_ended_total", "counter", help, ended as f64);
        out.family("partitura_webhook_attempts_total", "counter", "Attempts to post an event, by result.");
        for (result, n) in [("delivered", &self.webhook_delivered), ("failed", &self.webhook_failed)] {
            out.sample(&[("result", result)], n.load(Ordering::Relaxed) as f64);
        }
        out.family("partitura_redactions_total", "counter", "Values removed before they were stored, by rule.");
        for (rule, n) in self.redacted.read().iter() {
            out.sample(&[("rule", rule)], *n as f64);
        }
    }
}

fn count<K: Ord, V: Default>(map: &RwLock<BTreeMap<K, Arc<V>>>, key: K) -> Arc<V> {
    if let Some(found) = map.read().get(&key) {
        return Arc::clone(found);
    }
    Arc::clone(map.write().entry(key).or_default())
}

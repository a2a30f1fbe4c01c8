//! Percentiles of measured durations, in milliseconds.

use std::time::Duration;

use serde_json::{Value, json};

/// Returns the value below which `share` of the durations lie, in milliseconds; sorts in place.
pub fn at(durations: &mut [Duration], share: f64) -> f64 {
    if durations.is_empty() {
        return f64::NAN;
    }
    durations.sort_unstable();
    let rank = (share * durations.len() as f64).ceil() as usize;
    durations[rank.clamp(1, durations.len()) - 1].as_secs_f64() * 1000.0
}

/// Returns the usual ones.
pub fn summary(durations: &mut [Duration]) -> Value {
    json!({"p50": at(durations, 0.5), "p95": at(durations, 0.95), "p99": at(durations, 0.99), "n": durations.len()})
}

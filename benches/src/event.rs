//! Events of a chosen size, cheap to make: the load must not be the bottleneck.

use std::fmt::Write;

use crate::dice::Dice;
use crate::words;

/// Returns a JSON array of `batch` interactions, each of about `bytes` bytes, with ids from `first` on.
pub fn batch(client: usize, first: u64, batch: usize, bytes: usize) -> String {
    let mut body = String::with_capacity(batch * (bytes + 64));
    body.push('[');
    for n in 0..batch as u64 {
        if n > 0 {
            body.push(',');
        }
        sized(&mut body, client, first + n, bytes);
    }
    body.push(']');
    body
}

fn sized(body: &mut String, client: usize, n: u64, bytes: usize) {
    let start = body.len();
    let _ = write!(
        body,
        r#"{{"type":"interaction.recorded","source":"load-{client}","id":"{client}-{n}","time":"2026-03-01T10:{:02}:{:02}Z","data":{{"interaction_id":"{client}-{n}","kind":"llm","agent_id":"agent-{}","model":"model-{}","tokens_in":{},"tokens_out":{},"latency_ms":{},"status":"ok","output":""#,
        n / 60 % 60,
        n % 60,
        n % 6,
        n % 4,
        n % 4000,
        n % 900,
        n % 30_000,
    );
    let left = bytes.saturating_sub(body.len() - start + 4);
    words::fill(body, &mut Dice::new(1, n ^ ((client as u64) << 40)), left);
    body.push_str("\"}}");
}

//! Sends events in bounded batches and counts what became of them. While one batch is on its way, the next is made.

use std::collections::BTreeMap;

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::failure::{Failure, Outcome};

/// Most events of one request.
const EVENTS_MAX: usize = 2_000;
/// Most bytes of one request; below the server's default limit.
const BYTES_MAX: usize = 4 << 20;

/// What became of all events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Now in the log.
    pub new: u64,
    /// In the log before.
    pub duplicates: u64,
    /// Refused.
    pub refused: u64,
    /// The log's position after the last batch.
    pub position: u64,
    /// What was taken out of the events before they were stored, by rule.
    pub redacted: BTreeMap<String, u64>,
}

impl Tally {
    /// Returns it as one row.
    pub fn row(&self) -> Value {
        json!({"position": self.position, "new": self.new, "duplicates": self.duplicates, "refused": self.refused})
    }

    /// Adds what became of further events.
    pub fn add(&mut self, other: &Self) {
        self.new += other.new;
        self.duplicates += other.duplicates;
        self.refused += other.refused;
        self.position = self.position.max(other.position);
        for (rule, n) in &other.redacted {
            self.redact(rule, *n);
        }
    }

    /// Counts removals by one rule.
    pub fn redact(&mut self, rule: &str, n: u64) {
        *self.redacted.entry(rule.to_owned()).or_default() += n;
    }

    /// Tells a person what was taken out.
    pub fn tell_redactions(&self) {
        if self.redacted.is_empty() {
            return;
        }
        let rules: Vec<String> = self.redacted.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        eprintln!("secrets taken out, by rule: {}", rules.join(", "));
    }

    /// Fails when something was refused.
    pub fn outcome(&self) -> Outcome {
        match self.refused {
            0 => Ok(()),
            n => Err(Failure::usage(format!("{n} events were refused; the others were appended"))),
        }
    }
}

/// Collects lines, sends them when there are enough.
pub struct Batches<'a, R: FnMut(Refused<'_>)> {
    client: &'a Client,
    query: &'a str,
    lines: Vec<u8>,
    tags: Vec<u64>,
    sent: Option<Sent>,
    tally: Tally,
    refused: R,
}

/// A batch on its way. Only one is, so that events stay in order.
struct Sent {
    lines: Bytes,
    tags: Vec<u64>,
    answer: JoinHandle<Result<Value, Failure>>,
}

/// One refused event.
pub struct Refused<'a> {
    /// What the caller gave with the line: its number in the input.
    pub tag: u64,
    /// The event.
    pub event: &'a str,
    /// The server's problem.
    pub error: &'a Value,
}

impl<'a, R: FnMut(Refused<'_>)> Batches<'a, R> {
    /// Sends through `client`; `query` is added to the path, `refused` hears of every refused event.
    pub fn new(client: &'a Client, query: &'a str, refused: R) -> Self {
        Self { client, query, lines: Vec::new(), tags: Vec::new(), sent: None, tally: Tally::default(), refused }
    }

    /// Adds one event as a line of JSON; sends what is collected when it is enough.
    pub async fn push(&mut self, tag: u64, line: &str) -> Outcome {
        if self.tags.len() >= EVENTS_MAX || self.lines.len() + line.len() > BYTES_MAX {
            self.send().await?;
        }
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
        self.tags.push(tag);
        Ok(())
    }

    /// Sends the rest and returns the count.
    pub async fn finish(mut self) -> Result<Tally, Failure> {
        self.send().await?;
        self.settle().await?;
        Ok(self.tally)
    }

    async fn send(&mut self) -> Outcome {
        self.settle().await?;
        if self.tags.is_empty() {
            return Ok(());
        }
        let (lines, tags) = (Bytes::from(std::mem::take(&mut self.lines)), std::mem::take(&mut self.tags));
        let request = self
            .client
            .request(Method::POST, &format!("/v1/events{}", self.query))
            .header("content-type", "application/x-ndjson")
            .body(lines.clone());
        let client = self.client.clone();
        let answer = tokio::spawn(async move { client.append(request).await });
        self.sent = Some(Sent { lines, tags, answer });
        Ok(())
    }

    /// Waits for the batch on its way and counts what became of it.
    async fn settle(&mut self) -> Outcome {
        let Some(Sent { lines, tags, answer }) = self.sent.take() else { return Ok(()) };
        let answer = answer.await.map_err(|error| Failure::found(format!("sending stopped: {error}")))??;
        self.tally.position = answer["position"].as_u64().unwrap_or(self.tally.position);
        for (rule, n) in answer["redacted"].as_object().into_iter().flatten() {
            self.tally.redact(rule, n.as_u64().unwrap_or_default());
        }
        let texts = String::from_utf8_lossy(&lines);
        let results = answer["results"].as_array().into_iter().flatten();
        for ((result, tag), event) in results.zip(tags).zip(texts.lines()) {
            match result["status"].as_u64() {
                Some(201) => self.tally.new += 1,
                Some(200) => self.tally.duplicates += 1,
                _ => {
                    self.tally.refused += 1;
                    (self.refused)(Refused { tag, event, error: &result["error"] });
                }
            }
        }
        Ok(())
    }
}

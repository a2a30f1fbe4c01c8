//! The consumer of one webhook: posts the next event until the receiver takes it, then the one after.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use partitura_event::{Recorded, Timestamp};
use tokio::time::Instant;

use super::attempts::Attempt;
use super::record::{OnExhausted, Record};
use super::registry::{Hook, Webhooks};
use super::sender::{Message, Said};
use super::signing::seconds;
use crate::event_json::ShownEvent;
use crate::subscriptions::state::Failed;
use crate::subscriptions::subscription::Delivery;

/// How long one pull waits; nothing hangs on it.
const PULL_WAIT: Duration = Duration::from_secs(3_600);
/// Pause after the log or the disk failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Works until the webhook is deleted or the server stops.
pub async fn run(webhooks: Arc<Webhooks>, hook: Arc<Hook>) {
    tokio::select! {
        () = hook.stop.cancelled() => {}
        () = work(&webhooks, &hook) => {}
    }
}

async fn work(webhooks: &Webhooks, hook: &Hook) {
    loop {
        let Some(record) = webhooks.record_now(&hook.id) else { return };
        if record.disabled.is_some() {
            hook.changed.notified().await;
            continue;
        }
        let next = match hook.subscription.pull(1, PULL_WAIT).await {
            Ok(mut deliveries) => deliveries.pop(),
            Err(problem) => {
                tracing::error!(webhook = hook.id, detail = problem.detail, "the log cannot be read for a webhook");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(delivery) = next else { continue };
        // It may have been changed or disabled while there was nothing to send.
        match webhooks.record_now(&hook.id) {
            Some(record) if record.disabled.is_none() => deliver(webhooks, hook, &record, delivery).await,
            Some(_) => give_back(hook, &delivery, Duration::ZERO, false, "the webhook is disabled").await,
            None => return,
        }
    }
}

/// Makes the message of an event. Its id is the same for every attempt, so that receivers can tell a retry.
pub fn message(record: &Record, event: &Recorded, now: Timestamp) -> Message {
    let id = format!("msg_{}_{}", record.id.trim_start_matches("wh_"), event.position);
    let body = ShownEvent::from(event).to_bytes();
    Message { signature: record.sign(&id, now, &body), seconds: seconds(now), id, body }
}

async fn deliver(webhooks: &Webhooks, hook: &Hook, record: &Record, delivery: Delivery) {
    let (at, started) = (webhooks.clock().now(), Instant::now());
    let message = message(record, &delivery.event, at);
    let said = webhooks.means.sender.post(&record.url, &message).await;
    let took = started.elapsed();
    let metrics = &webhooks.means.metrics;
    let count = if said.delivered { &metrics.webhook_delivered } else { &metrics.webhook_failed };
    count.fetch_add(1, Ordering::Relaxed);
    let is_gone = said.status == Some(410);
    let is_last = is_gone || delivery.attempt >= record.max_attempts;
    let wait = webhooks.means.backoff.after(delivery.attempt).max(said.retry_after.unwrap_or_default());
    let next_at = (!said.delivered && !is_last).then(|| later(at, took + wait));
    hook.attempts.add(attempt(&message, &delivery, &said, at, took, next_at));
    if said.delivered {
        if let Err(problem) = hook.subscription.acknowledge(&[delivery.delivery_id]).await {
            // The receiver may see it again after a restart, and knows it by its id.
            tracing::error!(webhook = hook.id, detail = problem.detail, "how far a webhook is could not be written");
            tokio::time::sleep(PAUSE).await;
        }
        return;
    }
    let why = said.error.unwrap_or_default();
    if is_last && (is_gone || record.on_exhausted == OnExhausted::Disable) {
        let position = delivery.event.position;
        let attempts = delivery.attempt;
        webhooks.disable(&hook.id, format!("attempt {attempts} to send the event at {position} failed: {why}"));
        give_back(hook, &delivery, Duration::ZERO, false, &why).await;
    } else {
        give_back(hook, &delivery, wait, is_last, &why).await;
    }
}

async fn give_back(hook: &Hook, delivery: &Delivery, wait: Duration, park: bool, reason: &str) {
    let failed = Failed { reason, not_before: Instant::now() + wait, park };
    let given = hook.subscription.refuse(std::slice::from_ref(&delivery.delivery_id), &failed).await;
    if let Err(problem) = given {
        tracing::error!(webhook = hook.id, detail = problem.detail, "how far a webhook is could not be written");
        tokio::time::sleep(PAUSE).await;
    }
}

pub(super) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Timestamp::clamped(at.micros().saturating_add(micros))
}

fn attempt(
    message: &Message,
    delivery: &Delivery,
    said: &Said,
    at: Timestamp,
    took: Duration,
    next_at: Option<Timestamp>,
) -> Attempt {
    Attempt {
        message_id: message.id.clone(),
        position: delivery.event.position,
        attempt: delivery.attempt,
        at,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        delivered: said.delivered,
        status: said.status,
        error: said.error.clone(),
        answer: said.answer.clone(),
        next_at,
    }
}

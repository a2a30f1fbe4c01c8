//! Webhooks as users have them: make, look at, change, test, end. Whoever sends events elsewhere needs `admin`.

use std::time::Duration;

use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::attempts::Attempt;
use super::record::{
    ATTEMPTS_DEFAULT, ATTEMPTS_MAX, DESCRIPTION_BYTES_MAX, Disabled, NewSecret, NewWebhook, OnExhausted, Record,
    WebhookChange,
};
use super::sender::Message;
use super::signing::{PreviousSecret, SigningSecret, seconds};
use super::worker::later;
use crate::live::filter::EventFilter;
use crate::live::tail::After;
use crate::principal::Principal;
use crate::service::Service;

/// How long a secret that was changed signs beside the new one.
const KEEP_DEFAULT: Duration = Duration::from_secs(24 * 3_600);
const KEEP_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A webhook as it is shown: never its secret.
#[derive(Clone, Debug, Serialize)]
pub struct ShownWebhook {
    /// Its id.
    pub id: String,
    /// Where events are posted.
    pub url: String,
    /// Which events.
    pub filter: EventFilter,
    /// For people.
    pub description: Option<String>,
    /// Whether it sends.
    pub enabled: bool,
    /// Since when and why it does not.
    pub disabled: Option<Disabled>,
    /// Attempts for one event.
    pub max_attempts: u32,
    /// What follows when they are used up.
    pub on_exhausted: OnExhausted,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when the secret before this one signs too.
    pub previous_secret_until: Option<Timestamp>,
    /// Every event up to here was taken, or parked.
    pub checkpoint: Option<Position>,
    /// Positions of the log after it.
    pub lag_events: u64,
    /// Events that were given up.
    pub parked: usize,
    /// The newest attempt.
    pub last_attempt: Option<Attempt>,
}

impl Service {
    /// Makes a webhook. Its secret is in this answer only, and only if it was made here.
    pub async fn create_webhook(&self, principal: &Principal, new: NewWebhook) -> Result<Value, Problem> {
        self.accepting()?;
        let webhooks = self.engines().webhooks();
        webhooks.means.sender.check(&new.url).await?;
        let (secret, is_ours) = given_or_made(new.secret.as_deref())?;
        let record = Record {
            id: new_id()?,
            workspace: principal.workspace.clone(),
            url: new.url,
            filter: EventFilter::try_from(new.filter)?,
            description: checked_description(new.description)?,
            secret: secret.clone(),
            previous_secret: None,
            max_attempts: checked_attempts(new.max_attempts)?,
            on_exhausted: new.on_exhausted,
            created_at: self.now(),
            disabled: None,
        };
        let from = new.from.unwrap_or(After::Now).resolve(self.head())?;
        webhooks.add(record.clone(), from).await?;
        let mut shown = json!(self.shown_webhook(&record));
        if is_ours {
            shown["secret"] = json!(secret.reveal());
        }
        Ok(shown)
    }

    /// Lists the webhooks of the workspace, oldest first.
    pub fn webhooks(&self, principal: &Principal) -> Vec<ShownWebhook> {
        let list = self.engines().webhooks().list(&principal.workspace);
        list.iter().map(|record| self.shown_webhook(record)).collect()
    }

    /// Shows a webhook. Errors with near ids.
    pub fn webhook(&self, principal: &Principal, id: &str) -> Result<ShownWebhook, Problem> {
        Ok(self.shown_webhook(&self.engines().webhooks().record(&principal.workspace, id)?))
    }

    /// Changes a webhook. Enabling one begins with the event that it stopped at, with all attempts.
    pub async fn change_webhook(
        &self,
        principal: &Principal,
        id: &str,
        change: WebhookChange,
    ) -> Result<ShownWebhook, Problem> {
        self.accepting()?;
        let webhooks = self.engines().webhooks();
        let record = webhooks.record(&principal.workspace, id)?;
        if let Some(url) = &change.url {
            webhooks.means.sender.check(url).await?;
        }
        let max_attempts = change.max_attempts.map(|given| checked_attempts(Some(given))).transpose()?;
        let description = checked_description(change.description)?;
        let now = self.now();
        if change.enabled == Some(true)
            && record.disabled.is_some()
            && let Some(hook) = webhooks.hook(id)
        {
            hook.subscription.reset(hook.standing().checkpoint).await?;
        }
        webhooks.edit(id, |record| {
            record.url = change.url.unwrap_or_else(|| record.url.clone());
            record.description = description.or_else(|| record.description.clone());
            record.max_attempts = max_attempts.unwrap_or(record.max_attempts);
            record.on_exhausted = change.on_exhausted.unwrap_or(record.on_exhausted);
            match change.enabled {
                Some(true) => record.disabled = None,
                Some(false) if record.disabled.is_none() => {
                    let reason = format!("disabled by {}", principal.actor);
                    record.disabled = Some(Disabled { at: now, reason });
                }
                _ => {}
            }
        })?;
        self.webhook(principal, id)
    }

    /// Gives a webhook another secret. For a while the one before signs too, so that a receiver that checks with
    /// either loses nothing. The secret is in this answer only, and only if it was made here.
    pub async fn change_webhook_secret(
        &self,
        principal: &Principal,
        id: &str,
        new: NewSecret,
    ) -> Result<Value, Problem> {
        self.accepting()?;
        let webhooks = self.engines().webhooks();
        webhooks.record(&principal.workspace, id)?;
        let (secret, is_ours) = given_or_made(new.secret.as_deref())?;
        let now = self.now();
        let until = later(now, checked_keep(new.keep_previous)?);
        webhooks.edit(id, |record| {
            let before = std::mem::replace(&mut record.secret, secret.clone());
            record.previous_secret = (until > now).then_some(PreviousSecret { secret: before, until });
        })?;
        let mut shown = json!(self.webhook(principal, id)?);
        if is_ours {
            shown["secret"] = json!(secret.reveal());
        }
        Ok(shown)
    }

    /// Ends a webhook. Returns how it was.
    pub async fn delete_webhook(&self, principal: &Principal, id: &str) -> Result<ShownWebhook, Problem> {
        let shown = self.webhook(principal, id)?;
        self.engines().webhooks().remove(id).await?;
        Ok(shown)
    }

    /// Posts a message of the type `webhook.test` now, and tells what came of it.
    pub async fn test_webhook(&self, principal: &Principal, id: &str) -> Result<Value, Problem> {
        let webhooks = self.engines().webhooks();
        let record = webhooks.record(&principal.workspace, id)?;
        let (now, started) = (self.now(), Instant::now());
        let message_id = format!("msg_test_{}", random_hex()?);
        let body =
            json!({"type": "webhook.test", "time": now, "workspace": record.workspace, "data": {"webhook_id": id}});
        let body = bytes::Bytes::from(body.to_string());
        let signature = record.sign(&message_id, now, &body);
        let message = Message { id: message_id, seconds: seconds(now), signature, body };
        let said = webhooks.means.sender.post(&record.url, &message).await;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let answer = said.answer.map(|text| self.loggable(&text));
        Ok(json!({
            "message_id": message.id, "delivered": said.delivered, "status": said.status, "error": said.error,
            "answer": answer, "took_ms": took_ms,
        }))
    }

    /// Lists the newest attempts of a webhook, newest first.
    pub fn webhook_attempts(&self, principal: &Principal, id: &str, limit: usize) -> Result<Vec<Attempt>, Problem> {
        let webhooks = self.engines().webhooks();
        webhooks.record(&principal.workspace, id)?;
        let mut attempts = webhooks.hook(id).map_or_else(Vec::new, |hook| hook.attempts.newest(limit));
        for attempt in &mut attempts {
            attempt.answer = attempt.answer.take().map(|text| self.loggable(&text));
        }
        Ok(attempts)
    }

    /// Sends parked events again. Returns how many.
    pub async fn replay_webhook(&self, principal: &Principal, id: &str) -> Result<usize, Problem> {
        let webhooks = self.engines().webhooks();
        webhooks.record(&principal.workspace, id)?;
        match webhooks.hook(id) {
            Some(hook) => hook.subscription.replay(None).await,
            None => Ok(0),
        }
    }

    fn shown_webhook(&self, record: &Record) -> ShownWebhook {
        let hook = self.engines().webhooks().hook(&record.id);
        let standing = hook.as_ref().map(|hook| hook.standing());
        ShownWebhook {
            id: record.id.clone(),
            url: record.url.clone(),
            filter: record.filter.clone(),
            description: record.description.clone(),
            enabled: record.disabled.is_none(),
            disabled: record.disabled.clone(),
            max_attempts: record.max_attempts,
            on_exhausted: record.on_exhausted,
            created_at: record.created_at,
            previous_secret_until: record
                .previous_secret
                .as_ref()
                .map(|previous| previous.until)
                .filter(|at| *at > self.now()),
            checkpoint: standing.as_ref().and_then(|standing| standing.checkpoint),
            lag_events: standing.as_ref().map_or(0, |standing| standing.lag_events),
            parked: standing.as_ref().map_or(0, |standing| standing.parked),
            last_attempt: hook.and_then(|hook| hook.attempts.newest(1).pop()),
        }
    }
}

fn checked_attempts(given: Option<u32>) -> Result<u32, Problem> {
    let attempts = given.unwrap_or(ATTEMPTS_DEFAULT);
    if (1..=ATTEMPTS_MAX).contains(&attempts) {
        return Ok(attempts);
    }
    let detail = format!("`max_attempts` = {attempts} is not between 1 and {ATTEMPTS_MAX}");
    Err(Problem::invalid_field("max_attempts", "out_of_range", detail))
}

/// Returns the secret, and whether it was made here.
fn given_or_made(given: Option<&str>) -> Result<(SigningSecret, bool), Problem> {
    match given {
        Some(text) => Ok((SigningSecret::parse(text)?, false)),
        None => Ok((SigningSecret::generate()?, true)),
    }
}

fn checked_keep(given: Option<Duration>) -> Result<Duration, Problem> {
    let keep = given.unwrap_or(KEEP_DEFAULT);
    if keep <= KEEP_MAX {
        return Ok(keep);
    }
    let detail = format!("`keep_previous_ms` = {} is more than {} (30 days)", keep.as_millis(), KEEP_MAX.as_millis());
    Err(Problem::invalid_field("keep_previous_ms", "out_of_range", detail))
}

fn checked_description(given: Option<String>) -> Result<Option<String>, Problem> {
    match given {
        Some(text) if text.len() > DESCRIPTION_BYTES_MAX => {
            let detail = format!("`description` has {} bytes; at most {DESCRIPTION_BYTES_MAX} are allowed", text.len());
            Err(Problem::invalid_field("description", "too_long", detail))
        }
        given => Ok(given),
    }
}

fn new_id() -> Result<String, Problem> {
    Ok(format!("wh_{}", random_hex()?))
}

fn random_hex() -> Result<String, Problem> {
    let mut bytes = [0; 8];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Problem::new(ErrorClass::Unavailable, format!("the system gives no random bytes: {error}")))?;
    Ok(hex::encode(bytes))
}

//! What a webhook is, and what is kept of all of them: `webhooks.json`.

use std::path::Path;
use std::time::Duration;

use partitura_event::{ErrorClass, Problem, Timestamp, Workspace};
use serde::{Deserialize, Serialize};

use super::signing::{PreviousSecret, SigningSecret};
use crate::durable_file;
use crate::folder::unwritable;
use crate::live::filter::{EventFilter, FilterText};
use crate::live::tail::After;

/// Version of the file that this program reads and writes.
const FORMAT: u32 = 1;
/// Attempts for one event.
pub const ATTEMPTS_DEFAULT: u32 = 16;
/// Most that may be asked for.
pub const ATTEMPTS_MAX: u32 = 100;
/// Longest URL and description.
pub const URL_BYTES_MAX: usize = 2_048;
/// Longest description.
pub const DESCRIPTION_BYTES_MAX: usize = 512;

/// A webhook to be made.
#[derive(Clone, Debug, Default)]
pub struct NewWebhook {
    /// Where events are posted.
    pub url: String,
    /// Which events.
    pub filter: FilterText,
    /// From where; what comes from now on by default.
    pub from: Option<After>,
    /// For people.
    pub description: Option<String>,
    /// A secret that the receiver has already.
    pub secret: Option<String>,
    /// Attempts for one event.
    pub max_attempts: Option<u32>,
    /// What follows when they are used up.
    pub on_exhausted: OnExhausted,
}

/// What follows when all attempts for an event failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    /// The webhook stops there, and goes on with the same event when it is enabled again: nothing is left out.
    #[default]
    Disable,
    /// The event is parked, and the next one is sent.
    Park,
}

/// What is changed of a webhook.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// Another URL.
    pub url: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Off, or on again.
    pub enabled: Option<bool>,
    /// Other attempts.
    pub max_attempts: Option<u32>,
    /// What follows when they are used up.
    pub on_exhausted: Option<OnExhausted>,
}

/// Another secret for a webhook.
#[derive(Clone, Debug, Default)]
pub struct NewSecret {
    /// One that the receiver has already; one is made by default.
    pub secret: Option<String>,
    /// How long the one before signs too.
    pub keep_previous: Option<Duration>,
}

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// For people.
    pub reason: String,
}

/// A webhook, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// `wh_` and random digits.
    pub id: String,
    /// The tenant.
    pub workspace: Workspace,
    /// Where events are posted.
    pub url: String,
    /// Which events.
    pub filter: EventFilter,
    /// For people.
    pub description: Option<String>,
    /// Signs what is sent.
    pub(super) secret: SigningSecret,
    /// Signs beside it for a while after a change.
    #[serde(default)]
    pub(super) previous_secret: Option<PreviousSecret>,
    /// Attempts for one event.
    pub max_attempts: u32,
    /// What follows when they are used up.
    pub on_exhausted: OnExhausted,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why nothing is sent.
    pub disabled: Option<Disabled>,
}

impl Record {
    /// Signs a message: one signature, or two with a space between them while a changed secret is still good.
    pub(super) fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let signature = self.secret.sign(id, at, body);
        match &self.previous_secret {
            Some(previous) if at < previous.until => format!("{signature} {}", previous.secret.sign(id, at, body)),
            _ => signature,
        }
    }
}

/// The whole file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    webhooks: Vec<Record>,
}

/// Reads all; none when there is no file.
pub(super) fn read_all(path: &Path) -> Result<Vec<Record>, Problem> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|error| unwritable(path, &error))?,
    };
    let file: File = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(ErrorClass::Corrupt, format!("{} cannot be read: {error}", path.display()))
            .hint("restore webhooks.json from a backup, or move it away and make the webhooks again")
    })?;
    if file.format != FORMAT {
        let detail = format!("{} is of format {}; this program reads {FORMAT}", path.display(), file.format);
        return Err(Problem::new(ErrorClass::Unavailable, detail).code("format_newer"));
    }
    Ok(file.webhooks)
}

/// Replaces the file; readable by its owner only, durable when it returns.
pub(super) fn write_all(path: &Path, webhooks: Vec<Record>) -> Result<(), Problem> {
    let file = File { format: FORMAT, webhooks };
    let text = serde_json::to_vec_pretty(&file).map_err(|e| Problem::new(ErrorClass::Internal, e.to_string()))?;
    durable_file::replace(path, &text).map_err(|error| unwritable(path, &error))
}

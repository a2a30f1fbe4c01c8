//! All webhooks of the server, each with its subscription and its worker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use partitura_event::{Clock, ErrorClass, Position, Problem, Timestamp, Workspace};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempts::Attempts;
use super::backoff::Backoff;
use super::record::{self, Disabled, Record};
use super::sender::Sender;
use super::worker;
use crate::durable_file;
use crate::folder::{Folder, unwritable};
use crate::live::filter::EventFilter;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::subscriptions::definition::Definition;
use crate::subscriptions::subscription::{Ground, Standing, Subscription};

/// Webhooks of one workspace: each has a task and may have a connection.
pub const WEBHOOKS_MAX: usize = 50;
/// A worker answers for what it was handed within the time of an exchange; this is far beyond it.
const ACK_TIMEOUT_MS: u64 = 3_600_000;

/// What webhooks stand on.
pub struct Means {
    /// `webhooks.json`.
    pub file: PathBuf,
    /// Positions and notes: `<workspace>/<id>.json` and `.log`.
    pub folder: PathBuf,
    /// Where events are read.
    pub ground: Ground,
    /// Posts messages.
    pub(super) sender: Sender,
    /// How long to wait after failures.
    pub(super) backoff: Backoff,
    /// Counts attempts.
    pub metrics: Arc<Metrics>,
}

/// All webhooks.
pub struct Webhooks {
    pub(super) means: Means,
    records: RwLock<BTreeMap<String, Record>>,
    hooks: RwLock<BTreeMap<String, Arc<Hook>>>,
    /// Held while the file is replaced.
    writing: Mutex<()>,
    stop: CancellationToken,
    workers: TaskTracker,
}

/// The running side of one webhook.
pub struct Hook {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub(super) subscription: Subscription,
    /// What came of it.
    pub(super) attempts: Attempts,
    /// Told when its record changed.
    pub(super) changed: tokio::sync::Notify,
    /// Cancelled when it is deleted, or the server stops.
    pub(super) stop: CancellationToken,
}

impl Webhooks {
    /// Reads all; they begin to send with [`Webhooks::start`].
    pub fn open(means: Means, stop: CancellationToken) -> Result<Arc<Self>, Problem> {
        let (mut records, mut hooks) = (BTreeMap::new(), BTreeMap::new());
        for mut record in record::read_all(&means.file)? {
            let path = means.path_of(&record.workspace, &record.id);
            let subscription = means.resume(&mut record, &path)?;
            let hook = Hook::new(record.id.clone(), subscription, &path, &stop);
            hooks.insert(record.id.clone(), Arc::new(hook));
            records.insert(record.id.clone(), record);
        }
        let (records, hooks) = (RwLock::new(records), RwLock::new(hooks));
        Ok(Arc::new(Self { means, records, hooks, writing: Mutex::new(()), stop, workers: TaskTracker::new() }))
    }

    /// Begins to send.
    pub fn start(self: &Arc<Self>) {
        for hook in self.hooks.read().values() {
            self.spawn(Arc::clone(hook));
        }
    }

    fn spawn(self: &Arc<Self>, hook: Arc<Hook>) {
        self.workers.spawn(worker::run(Arc::clone(self), hook));
    }

    /// Waits for the workers, which `stop` ends, and writes down how far they are.
    pub async fn close(&self) {
        self.workers.close();
        self.workers.wait().await;
        let hooks: Vec<_> = self.hooks.read().values().cloned().collect();
        for hook in hooks {
            if let Err(problem) = hook.subscription.save().await {
                tracing::warn!(webhook = hook.id, detail = problem.detail, "how far it is could not be written");
            }
        }
    }

    /// Adds one and begins to send after `from`.
    pub async fn add(self: &Arc<Self>, record: Record, from: Option<Position>) -> Result<(), Problem> {
        if self.list(&record.workspace).len() >= WEBHOOKS_MAX {
            let detail = format!("this workspace has {WEBHOOKS_MAX} webhooks: that is the limit");
            return Err(Problem::new(ErrorClass::Conflict, detail).code("too_many_webhooks").hint("delete one first"));
        }
        let path = self.means.path_of(&record.workspace, &record.id);
        if let Some(folder) = path.parent() {
            durable_file::make_folder(folder).map_err(|error| unwritable(folder, &error))?;
        }
        let definition = definition(&record.id, record.filter.clone(), from, record.created_at);
        let ground = self.means.ground.clone();
        let subscription = Subscription::create(record.workspace.clone(), definition, path.clone(), ground).await?;
        let hook = Arc::new(Hook::new(record.id.clone(), subscription, &path, &self.stop));
        self.change(|records| {
            records.insert(record.id.clone(), record.clone());
            Ok(())
        })?;
        self.hooks.write().insert(record.id.clone(), Arc::clone(&hook));
        self.spawn(hook);
        Ok(())
    }

    /// Returns the record of a webhook of a workspace. Errors with near ids.
    pub fn record(&self, workspace: &Workspace, id: &str) -> Result<Record, Problem> {
        let records = self.records.read();
        records.get(id).filter(|record| record.workspace == *workspace).cloned().ok_or_else(|| {
            let known = records.values().filter(|record| record.workspace == *workspace).map(|one| one.id.as_str());
            Problem::new(ErrorClass::NotFound, format!("there is no webhook `{id:.80}`"))
                .code("unknown_webhook")
                .suggest(id, known)
                .hint("GET /v1/webhooks lists them")
        })
    }

    pub(super) fn record_now(&self, id: &str) -> Option<Record> {
        self.records.read().get(id).cloned()
    }

    /// Returns the webhooks of a workspace, oldest first.
    pub fn list(&self, workspace: &Workspace) -> Vec<Record> {
        let records = self.records.read();
        let mut own: Vec<_> = records.values().filter(|record| record.workspace == *workspace).cloned().collect();
        own.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        own
    }

    /// Returns how many webhooks send, and how many do not.
    pub fn counts(&self) -> (usize, usize) {
        let records = self.records.read();
        let disabled = records.values().filter(|record| record.disabled.is_some()).count();
        (records.len() - disabled, disabled)
    }

    /// Returns the running side.
    pub fn hook(&self, id: &str) -> Option<Arc<Hook>> {
        self.hooks.read().get(id).cloned()
    }

    /// Changes a record and tells its worker.
    pub fn edit(&self, id: &str, edit: impl FnOnce(&mut Record)) -> Result<(), Problem> {
        self.change(|records| {
            let gone = || Problem::new(ErrorClass::NotFound, "the webhook is gone").code("unknown_webhook");
            edit(records.get_mut(id).ok_or_else(gone)?);
            Ok(())
        })?;
        if let Some(hook) = self.hook(id) {
            hook.changed.notify_one();
        }
        Ok(())
    }

    /// Stops a webhook, with the reason.
    pub(super) fn disable(&self, id: &str, reason: String) {
        let at = self.means.ground.clock.now();
        tracing::warn!(webhook = id, reason, "a webhook was disabled");
        if let Err(problem) = self.edit(id, |record| record.disabled = Some(Disabled { at, reason })) {
            tracing::error!(webhook = id, detail = problem.detail, "a webhook could not be disabled on disk");
        }
    }

    /// Ends one and removes what it left.
    pub async fn remove(&self, id: &str) -> Result<(), Problem> {
        self.change(|records| {
            records.remove(id);
            Ok(())
        })?;
        let Some(hook) = self.hooks.write().remove(id) else { return Ok(()) };
        hook.stop.cancel();
        hook.attempts.remove();
        hook.subscription.delete().await
    }

    fn change(&self, edit: impl FnOnce(&mut BTreeMap<String, Record>) -> Result<(), Problem>) -> Result<(), Problem> {
        let _one_at_a_time = self.writing.lock();
        let mut records = self.records.read().clone();
        edit(&mut records)?;
        record::write_all(&self.means.file, records.values().cloned().collect())?;
        *self.records.write() = records;
        Ok(())
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.means.ground.clock
    }
}

impl Means {
    /// Goes on where a webhook was. One whose position is gone, as a backup made while it was deleted may have it,
    /// stands still until somebody decides.
    fn resume(&self, record: &mut Record, path: &Path) -> Result<Subscription, Problem> {
        if path.exists() {
            return Subscription::open(record.workspace.clone(), path.to_path_buf(), self.ground.clone());
        }
        let (at, head) = (self.ground.clock.now(), self.ground.log.head());
        let reason = "how far it was is lost; enabled again, it begins with what comes from now on".to_owned();
        record.disabled = Some(Disabled { at, reason });
        let definition = definition(&record.id, record.filter.clone(), head, record.created_at);
        Ok(Subscription::unsaved(record.workspace.clone(), definition, path.to_path_buf(), self.ground.clone()))
    }

    fn path_of(&self, workspace: &Workspace, id: &str) -> PathBuf {
        self.folder.join(workspace.as_str()).join(format!("{id}.json"))
    }
}

impl Hook {
    fn new(id: String, subscription: Subscription, path: &Path, stop: &CancellationToken) -> Self {
        let (attempts, stop) = (Attempts::open(path.with_extension("log")), stop.child_token());
        Self { id, subscription, attempts, changed: tokio::sync::Notify::new(), stop }
    }

    /// Returns how far it is.
    pub fn standing(&self) -> Standing {
        self.subscription.standing()
    }
}

/// One event at a time, so that they arrive in order; how often it is tried is the worker's to decide.
fn definition(id: &str, filter: EventFilter, from: Option<Position>, created_at: Timestamp) -> Definition {
    Definition {
        name: id.to_owned(),
        filter,
        from,
        max_attempts: u32::MAX,
        ack_timeout_ms: ACK_TIMEOUT_MS,
        window: 1,
        created_at,
    }
}

impl Means {
    /// Puts together what the settings say.
    pub fn new(folder: &Folder, settings: &Settings, ground: Ground, metrics: Arc<Metrics>) -> Result<Self, Problem> {
        let (first, max) = (settings.webhook_backoff, settings.webhook_backoff_max);
        Ok(Self {
            file: folder.webhooks_file(),
            folder: folder.webhooks(),
            ground,
            sender: Sender::new(settings.webhook_timeout, settings.webhooks_allow_private)?,
            backoff: Backoff { first, max, random: rand::random },
            metrics,
        })
    }
}

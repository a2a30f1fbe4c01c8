//! The one door: everything that a user can do is a method here, and every protocol calls the same one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use partitura_event::{Clock, ErrorClass, Position, Problem, Source, Timestamp, Workspace};
use partitura_ingest::{ExtraRule, IdGenerator, Limits, RedactSettings, Redactor};
use partitura_log::EventLog;
use partitura_query::Engine;
use partitura_table::TableStore;
use tokio::sync::watch;

use crate::calendar::Calendars;
use crate::download::Shelf;
use crate::engines::Engines;
use crate::exports::{ExportSpec, Exports};
use crate::folder::Folder;
use crate::gate::{BodyMemory, BodyShare, Gate};
use crate::keys::KeyRing;
use crate::metrics::Metrics;
use crate::otlp::Intake;
use crate::principal::{LOCAL, Principal};
use crate::settings::{Content, Settings};
use crate::ticket::TicketKey;

/// A running Partitura without a protocol.
pub struct Service {
    settings: Settings,
    clock: Arc<dyn Clock>,
    folder: Folder,
    keys: Arc<KeyRing>,
    tickets: TicketKey,
    redactor: Redactor,
    ids: IdGenerator,
    engines: Engines,
    gates: Gates,
    metrics: Arc<Metrics>,
    calendars: Calendars,
    intake: Intake,
    shelf: Arc<Shelf>,
    exports: Arc<Exports>,
    accepting: AtomicBool,
}

struct Gates {
    appends: Gate,
    reads: Gate,
    subscriptions: Gate,
    live: Gate,
    bodies: BodyMemory,
}

/// What a request brought to show who sent it.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A key's text.
    Key(String),
    /// The secret of the data folder's owner.
    Operator,
    /// Nothing, but it comes from this machine.
    Loopback,
    /// Nothing.
    None,
}

impl Service {
    /// Opens a locked folder: log, tables, projections, search.
    ///
    /// Returns when the log can be written and tables can be read; what tables lack they catch up behind.
    pub async fn open(
        folder: Folder,
        settings: Settings,
        exports: Vec<ExportSpec>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Problem> {
        let keys = Arc::new(KeyRing::open(folder.keys(), Arc::clone(&clock))?);
        let tickets = TicketKey::open(&folder.tickets())?;
        let redactor = Redactor::new(redaction(&settings))?;
        let metrics = Arc::<Metrics>::default();
        let shelf = Arc::new(Shelf::open(folder.root().join("downloads"), &settings)?);
        let exports = Arc::new(Exports::open(folder.root().join("exports.json"), exports)?);
        let engines = Engines::open(&folder, &settings, &clock, &metrics, &exports).await?;
        let gates = Gates {
            appends: Gate::new("appends", settings.appends_max, settings.appends_max * 4),
            reads: Gate::new("reads", settings.queries_max, settings.queries_waiting_max),
            subscriptions: Gate::new("event streams", settings.subscriptions_max, 0),
            live: Gate::new("live queries", settings.live_queries_max, 0),
            bodies: BodyMemory::new(settings.body_memory_max),
        };
        Ok(Arc::new(Self {
            settings,
            clock,
            folder,
            keys,
            tickets,
            redactor,
            ids: IdGenerator::system(),
            engines,
            gates,
            metrics,
            calendars: Calendars::default(),
            intake: Intake::default(),
            shelf,
            exports,
            accepting: AtomicBool::new(true),
        }))
    }

    /// Returns who presents `credential`. `wanted` chooses among the workspaces that they may read.
    pub fn authenticate(&self, credential: Credential, wanted: Option<&Workspace>) -> Result<Principal, Problem> {
        match credential {
            Credential::Key(text) => self.keys.authenticate(&text, wanted),
            Credential::Operator => Ok(Principal::operator(wanted.cloned().unwrap_or_else(Workspace::local))),
            Credential::Loopback if !self.keys.is_used() => match wanted {
                Some(other) if *other != Workspace::local() => Ok(Principal::operator(other.clone())),
                _ => Ok(Principal::local()),
            },
            Credential::Loopback | Credential::None => {
                Err(Problem::new(ErrorClass::Unauthenticated, "this server asks for a key")
                    .code("key_needed")
                    .hint("send `Authorization: Bearer pt_…`; `partitura keys create` makes a key"))
            }
        }
    }

    /// Errors when whoever was let in as `principal` would not be let in now: their key was revoked, or the first key
    /// was made. Connections that outlive a request ask before each.
    pub fn still(&self, principal: &Principal) -> Result<(), Problem> {
        let stays = match principal.actor.strip_prefix("key/") {
            Some(id) => self.keys.is_live(id),
            None => principal.actor != LOCAL || !self.keys.is_used(),
        };
        if stays {
            return Ok(());
        }
        Err(Problem::new(ErrorClass::Unauthenticated, "the key of this connection does not let anybody in any more")
            .code("key_ended")
            .hint("connect again with a live key; `partitura keys list` shows them"))
    }

    /// Writes down in the folder's lock where the server answers.
    pub fn announce(&self, http: std::net::SocketAddr, operator: String) -> Result<(), Problem> {
        self.folder.announce(http, operator)
    }

    /// Refuses new writes from now on, so that what is under way can end.
    pub fn stop_accepting(&self) {
        self.accepting.store(false, Ordering::Release);
    }

    /// Ends projections, writes what tables hold in memory, closes the log. What is acknowledged is safe before.
    pub async fn close(&self) -> Result<(), Problem> {
        self.stop_accepting();
        self.engines.close().await
    }

    /// Returns the settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the key ring.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub(crate) fn shared_keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys)
    }

    /// Returns the counters.
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Takes secrets out of a text that will be logged: it may quote what a client sent.
    pub fn loggable(&self, text: &str) -> String {
        self.redactor.shown(text)
    }

    /// Starts a share of the memory for request bodies.
    pub fn body_share(&self) -> BodyShare {
        self.gates.bodies.share()
    }

    /// Returns the server's time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the log's last position.
    pub fn head(&self) -> Option<Position> {
        self.log().head()
    }

    /// Returns the position that tables show.
    pub fn published(&self) -> Option<Position> {
        *self.published_watch().borrow()
    }

    pub(crate) fn published_watch(&self) -> watch::Receiver<Option<Position>> {
        self.store().watch()
    }

    pub(crate) fn accepting(&self) -> Result<(), Problem> {
        if self.accepting.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(Problem::new(ErrorClass::Unavailable, "the server is stopping")
            .code("shutting_down")
            .hint("send it again in a moment; nothing was written")
            .retry_after(Duration::from_secs(1)))
    }

    pub(crate) fn ingest_limits(&self) -> Limits {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Limits {
            event_bytes: bytes(self.settings.event_bytes_max),
            batch_bytes: bytes(self.settings.batch_bytes_max),
            events: self.settings.batch_events_max,
            ..Limits::default()
        }
    }

    /// Returns the principal of the server itself, which writes what the server did.
    pub(crate) fn own_principal(workspace: Workspace) -> Principal {
        let source = Source::new("partitura").expect("a constant id is valid");
        let mut principal = Principal::operator(workspace);
        principal.source = source;
        principal
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) const fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) const fn ticket_key(&self) -> &TicketKey {
        &self.tickets
    }

    pub(crate) const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(crate) const fn ids(&self) -> &IdGenerator {
        &self.ids
    }

    pub(crate) fn log(&self) -> &Arc<dyn EventLog> {
        self.engines.log()
    }

    pub(crate) fn store(&self) -> &Arc<TableStore> {
        self.engines.store()
    }

    pub(crate) const fn engines(&self) -> &Engines {
        &self.engines
    }

    pub(crate) const fn engine(&self) -> &Engine {
        self.engines.engine()
    }

    pub(crate) const fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    pub(crate) const fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) const fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Returns the scheduled exports.
    pub const fn exports(&self) -> &Arc<Exports> {
        &self.exports
    }

    pub(crate) const fn append_gate(&self) -> &Gate {
        &self.gates.appends
    }

    pub(crate) const fn read_gate(&self) -> &Gate {
        &self.gates.reads
    }

    pub(crate) const fn subscription_gate(&self) -> &Gate {
        &self.gates.subscriptions
    }

    pub(crate) const fn live_gate(&self) -> &Gate {
        &self.gates.live
    }

    pub(crate) const fn bodies(&self) -> &BodyMemory {
        &self.gates.bodies
    }
}

fn redaction(settings: &Settings) -> RedactSettings {
    use partitura_ingest::ContentMode;
    let mode = |content: Content| match content {
        Content::Full => ContentMode::Full,
        Content::Redacted => ContentMode::Redacted,
        Content::None => ContentMode::None,
    };
    let rule = |(name, pattern): &(String, String)| ExtraRule { name: name.clone(), pattern: pattern.clone() };
    RedactSettings {
        disable: settings.redact_disable.clone(),
        rules: settings.redact_rules.iter().map(rule).collect(),
        content: mode(settings.content),
        sources: settings.content_of.iter().map(|(source, content)| (source.clone(), mode(*content))).collect(),
    }
}

//! Settings are data: one table of names, defaults and meanings; flag, environment and file all read it.
//!
//! A setting `event_bytes_max` is the flag `--event-bytes-max`, the variable
//! `PARTITURA_EVENT_BYTES_MAX` and the key `event_bytes_max` of `partitura.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};

use crate::quantity::{self, Bytes};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Snake-case name.
    pub name: &'static str,
    /// Default, as text.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}

impl Setting {
    /// Returns the environment variable.
    pub fn variable(&self) -> String {
        format!("PARTITURA_{}", self.name.to_ascii_uppercase())
    }

    /// Returns the flag without its dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

/// Reads one value of a setting from text.
trait Value: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! settings {
    ($($name:ident: $ty:ty = $default:literal, $doc:literal;)*) => {
        /// What a user can tweak; printed by `partitura config`.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $(#[doc = $doc] pub $name: $ty,)*
        }

        impl Settings {
            /// Every setting, in the order they are printed.
            pub const TABLE: &[Setting] =
                &[$(Setting { name: stringify!($name), default: $default, doc: $doc },)*];

            /// Sets one setting from text. Errors name the setting, what it takes and near names.
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
                match name {
                    $(stringify!($name) => {
                        self.$name = <$ty as Value>::read(text).map_err(|why| wrong(name, text, &why))?;
                    })*
                    _ => return Err(unknown(name)),
                }
                Ok(())
            }
        }

        impl Settings {
            /// Returns name, value and meaning of every setting that is no path.
            pub fn rows(&self) -> Vec<(&'static str, String, &'static str)> {
                let all = [$((stringify!($name), format!("{:?}", self.$name), $doc),)*];
                let is_private = |name: &str| matches!(name, "data" | "model_dir" | "http" | "flight" | "pg" | "otlp_grpc" | "otlp_http" | "tls_cert" | "tls_key" | "allowed_hosts");
                all.into_iter().filter(|(name, ..)| !is_private(name)).collect()
            }
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: <$ty as Value>::read($default).expect("the table's default can be read"),)* }
            }
        }
    };
}

settings! {
    data: PathBuf = "./partitura-data", "Folder that holds the log, the tables and the keys";
    http: SocketAddr = "127.0.0.1:7070", "Address of the HTTP API; port 0 picks a free one";
    flight: Listen = "127.0.0.1:7071", "Address of Arrow Flight SQL, or off; port 0 picks a free one";
    pg: Listen = "127.0.0.1:7072", "Address of the Postgres wire, or off; port 0 picks a free one";
    otlp_grpc: Listen = "127.0.0.1:4317", "Address of OTLP/gRPC, or off; port 0 picks a free one";
    otlp_http: Listen = "127.0.0.1:4318", "Address of OTLP/HTTP beside the API's own, or off; port 0 picks a free one";
    tls_cert: OptionalPath = "", "PEM file with the certificate chain of the listeners beside HTTP; empty: no TLS";
    tls_key: OptionalPath = "", "PEM file with the private key of the certificate";
    allowed_hosts: Names = "", "Host names, besides this machine's own, whose pages may use the API in a browser, comma-separated";
    log: String = "info", "Which log lines are written to stderr, as tracing directives";
    log_format: LogFormat = "text", "Log lines as text or json";
    connections_max: usize = "4096", "Open HTTP connections before 503";
    idle_timeout: Span = "75s", "Longest time a client may stay idle, or take for the head of a request";
    pg_idle_timeout: Span = "30m", "Longest time a Postgres session may wait for its next statement";
    stall_timeout: Span = "30s", "Longest pause of a client that sends a body or reads an answer";
    event_bytes_max: Bytes = "1MiB", "Largest single event";
    batch_bytes_max: Bytes = "8MiB", "Largest request body, after inflation";
    otlp_bytes_max: Bytes = "64MiB", "Largest OpenTelemetry export request, after inflation";
    batch_events_max: usize = "10000", "Most events in one request";
    inflation_max: usize = "250", "A compressed body may grow by this factor at most";
    flight_message_max: Bytes = "16MiB", "Largest gRPC message that Flight SQL takes; bulk ingest sends one batch in each";
    body_memory_max: Bytes = "256MiB", "Memory for request bodies of all requests together";
    appends_max: usize = "256", "Appends in flight before 429";
    queries_max: usize = "8", "SQL queries and searches that run at the same time";
    queries_waiting_max: usize = "64", "Reads that wait for their turn before 429";
    subscriptions_max: usize = "2048", "Open event streams, live queries and waiting pulls";
    webhook_timeout: Span = "15s", "Time for a receiver of a webhook to answer";
    webhook_backoff: Span = "1s", "Longest wait after the first failure of a webhook; it doubles with each one";
    webhook_backoff_max: Span = "1h", "Longest wait between two attempts of a webhook";
    webhooks_allow_private: bool = "false", "Webhooks may be sent to private and local addresses";
    live_queries_max: usize = "64", "Open live queries";
    heartbeat: Span = "15s", "Silence on an event stream until a heartbeat";
    query_rows_max: usize = "1000000", "Most rows of one SQL answer";
    query_bytes_max: Bytes = "256MiB", "Most bytes of one SQL answer, in memory format";
    query_memory_max: Bytes = "1GiB", "Memory for all running SQL queries together";
    query_timeout: Span = "30s", "Time of a SQL query that asks for none";
    query_timeout_max: Span = "10m", "Longest `timeout_ms` that a query may ask for";
    downloads_bytes_max: Bytes = "8GiB", "Disk for the files of rows that are read by URL, all together";
    downloads_files_max: usize = "64", "Most of these files that are kept";
    downloads_keep: Span = "5m", "How long one is kept after it was read last";
    mcp_rows_max: usize = "1000", "Most rows that one MCP tool call may ask for";
    mcp_bytes_max: Bytes = "256KiB", "Most bytes of stored data in one answer of an MCP tool";
    wait_max: Span = "60s", "Longest `wait_ms` that a read may ask for";
    redact_disable: Names = "", "Rules of the redactor that are switched off, comma-separated; all run by default";
    redact_rules: Rules = "", "Further rules of the redactor, one a line: name=regular expression";
    content: Content = "full", "Prompts and answers are kept full, redacted (no personal data) or none";
    content_of: Contents = "", "The same for single sources, comma-separated: source=none";
    model: String = "all-MiniLM-L6-v2", "Embedding model: a name that fastembed knows, or off";
    model_dir: OptionalPath = "", "Folder with the model's ONNX file and tokenizer; empty: one of the model's name in the cache";
    model_file: String = "", "ONNX file in that folder; empty: model.onnx";
    query_prefix: String = "", "Put before every query that is embedded, where the model wants that";
    passage_prefix: String = "", "Put before every passage that is embedded";
    embed_threads: usize = "0", "Threads that compute embeddings; 0: one per core";
    flush_rows: usize = "50000", "Rows that wait in memory before tables are written";
    flush_bytes: Bytes = "8MiB", "Bytes that wait in memory before tables are written";
    flush_after: Span = "5s", "Longest time a row waits in memory before tables are written";
    shutdown_max: Span = "4s", "Longest clean shutdown";
}

/// Whether lines of the server's own log are for people or machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line each.
    Text,
    /// One JSON object each.
    Json,
}

/// How much of prompts and answers is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All, after the redaction rules.
    Full,
    /// Also without e-mail addresses, phone numbers, card numbers and IP addresses.
    Redacted,
    /// Fields of content are dropped.
    None,
}

/// A list of names.
pub type Names = Vec<String>;
/// Sources, and how much of the content of each is stored.
pub type Contents = Vec<(String, Content)>;
/// Names and regular expressions.
pub type Rules = Vec<(String, String)>;
/// A path that may be left out.
pub type OptionalPath = Option<PathBuf>;
/// Where a protocol listens; none when it is off.
pub type Listen = Option<SocketAddr>;
/// A length of time.
pub type Span = Duration;

impl Value for PathBuf {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("a folder".into()) } else { Ok(Self::from(text)) }
    }
}

impl Value for OptionalPath {
    fn read(text: &str) -> Result<Self, String> {
        Ok(if text.is_empty() { None } else { Some(PathBuf::from(text)) })
    }
}

impl Value for Names {
    fn read(text: &str) -> Result<Self, String> {
        Ok(entries(text, &[',', '\n']).map(str::to_lowercase).collect())
    }
}

impl Value for Contents {
    fn read(text: &str) -> Result<Self, String> {
        let pair = |entry: &str| {
            let (source, content) = entry.rsplit_once('=')?;
            Some((source.trim().to_owned(), Content::read(content).ok()?))
        };
        let pairs: Option<_> = entries(text, &[',', '\n']).map(pair).collect();
        pairs.ok_or_else(|| "pairs such as langfuse=none,copilot=redacted (full, redacted or none)".into())
    }
}

impl Value for Rules {
    fn read(text: &str) -> Result<Self, String> {
        let pair = |entry: &str| {
            let (name, pattern) = entry.split_once('=')?;
            Some((name.trim().to_owned(), pattern.trim().to_owned()))
        };
        let pairs: Option<_> = entries(text, &['\n']).map(pair).collect();
        pairs.ok_or_else(|| r"rules such as ticket=SECRET-\d+, one a line".into())
    }
}

fn entries<'t>(text: &'t str, separators: &'t [char]) -> impl Iterator<Item = &'t str> {
    text.split(separators).map(str::trim).filter(|entry| !entry.is_empty())
}

impl Value for String {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Value for usize {
    fn read(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| "a whole number".into())
    }
}

impl Value for bool {
    fn read(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| "true or false".into())
    }
}

impl Value for SocketAddr {
    fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let spelled = text.replacen("localhost:", "127.0.0.1:", 1);
        spelled.parse().map_err(|_| "an address and a port such as 127.0.0.1:7070".into())
    }
}

impl Value for Listen {
    fn read(text: &str) -> Result<Self, String> {
        if text.trim() == "off" {
            return Ok(None);
        }
        let address = <SocketAddr as Value>::read(text).map_err(|takes| format!("{takes}, or off"))?;
        Ok(Some(address))
    }
}

impl Value for Bytes {
    fn read(text: &str) -> Result<Self, String> {
        quantity::bytes(text).ok_or_else(|| "a size such as 8MiB, 500KB or 1048576".into())
    }
}

impl Value for Duration {
    fn read(text: &str) -> Result<Self, String> {
        quantity::duration(text).ok_or_else(|| "a duration such as 500ms, 30s, 5m or 2h".into())
    }
}

impl Value for LogFormat {
    fn read(text: &str) -> Result<Self, String> {
        match text.trim() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("text or json".into()),
        }
    }
}

impl Value for Content {
    fn read(text: &str) -> Result<Self, String> {
        match text.trim() {
            "full" => Ok(Self::Full),
            "redacted" => Ok(Self::Redacted),
            "none" => Ok(Self::None),
            _ => Err("full, redacted or none".into()),
        }
    }
}

fn wrong(name: &str, text: &str, takes: &str) -> Problem {
    let doc = Settings::TABLE.iter().find(|setting| setting.name == name).map_or("", |setting| setting.doc);
    Problem::invalid_field(name, "setting", format!("setting `{name}` takes {takes}, not {text:?}")).hint(doc)
}

fn unknown(name: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("there is no setting `{name}`"))
        .code("unknown_setting")
        .suggest(name, Settings::TABLE.iter().map(|setting| setting.name))
        .hint("`partitura config` prints every setting")
}

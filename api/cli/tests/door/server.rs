//! A server process of its own, in a folder of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::answer::Answer;

/// Longest that a request may take: a server that does not answer fails its test, not the whole run.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program under test.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partitura"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARTITURA_")) {
        command.env_remove(name);
    }
    // Without a model, so that a story does not depend on what is installed; without the doors whose ports are fixed,
    // so that servers do not meet. A story about one of them says where it listens.
    command.env("PARTITURA_MODEL", "off").stdin(Stdio::null());
    for door in ["FLIGHT", "PG", "OTLP_GRPC", "OTLP_HTTP"] {
        command.env(format!("PARTITURA_{door}"), "off");
    }
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
    /// Every listener of the ready line, by name.
    pub listeners: BTreeMap<String, String>,
    pub folder: PathBuf,
    log: Option<std::thread::JoinHandle<String>>,
    http: reqwest::Client,
    _temp: Option<TempDir>,
}

impl Server {
    /// Starts one in a new folder.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one in a new folder with more arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        let temp = TempDir::new().expect("a folder");
        let folder = temp.path().join("data");
        let mut server = Self::start_in(&folder, arguments);
        server._temp = Some(temp);
        server
    }

    /// Starts one in a folder that outlives it.
    pub fn start_in(folder: &Path, arguments: &[&str]) -> Self {
        Self::try_start_in(folder, arguments).unwrap_or_else(|log| panic!("the server did not start: {log}"))
    }

    /// Starts one, or returns what it said instead.
    pub fn try_start_in(folder: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut command = program();
        command.args(["serve", "--data"]).arg(folder);
        if !arguments.contains(&"--http") {
            command.args(["--http", "127.0.0.1:0"]);
        }
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut errors = child.stderr.take().expect("stderr is piped");
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        out.read_line(&mut line).expect("stdout can be read");
        let pairs = line.split_whitespace().filter_map(|word| word.split_once('='));
        let listeners: BTreeMap<_, _> = pairs.map(|(name, uri)| (name.to_owned(), uri.to_owned())).collect();
        let Some(url) = listeners.get("http").cloned() else {
            let _ = child.wait();
            return Err(log.join().unwrap_or_default());
        };
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Ok(Self { child, url, listeners, folder: folder.to_path_buf(), log: Some(log), http, _temp: None })
    }

    /// Starts a request.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Posts bytes of a content type.
    pub async fn post_bytes(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.request(Method::POST, path).header("content-type", content_type).body(body)).await
    }

    /// Asks SQL at or after a position, and returns the rows.
    pub async fn rows(&self, sql: &str, min_position: u64) -> Value {
        let body = serde_json::json!({"sql": sql, "min_position": min_position, "wait_ms": 20_000});
        self.post("/v1/sql", &body).await.expect(200).json
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop; returns how long that took and what it logged.
    pub fn terminate(mut self) -> (Duration, String) {
        let started = Instant::now();
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(asked.success(), "the server is still there");
        let ended = self.child.wait().expect("the server ends");
        assert!(ended.success(), "a clean stop has exit code 0, not {ended}");
        let log = self.log.take().and_then(|log| log.join().ok()).unwrap_or_default();
        (started.elapsed(), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

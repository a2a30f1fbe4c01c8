//! `partitura doctor`: looks for what keeps a server from running well, and says the remedy.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use partitura_service::{Folder, Settings};
use serde_json::{Value, json};

use crate::args::Shared;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::rows::{self, Row};
use crate::server::load_tls;
use crate::settings_file;

/// Looks for what is wrong.
#[derive(Args, Debug)]
pub struct Doctor {}

struct Finding {
    what: String,
    verdict: Verdict,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Warn,
    Bad,
}

impl Doctor {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let settings = settings_file::resolve(shared)?.settings;
        let mut findings = vec![
            folder(&settings),
            disk(&settings.data),
            space(&settings.data),
            port(&settings).await,
            door(&settings, "flight", settings.flight).await,
            door(&settings, "pg", settings.pg).await,
            door(&settings, "otlp_grpc", settings.otlp_grpc).await,
            door(&settings, "otlp_http", settings.otlp_http).await,
            certificate(&settings),
            runtime(&settings),
            model(&settings),
            keys(&settings),
        ];
        findings.extend(served(&settings).await);
        let list: Vec<Row> = findings.iter().map(Finding::row).collect();
        rows::print(&list, &["check", "verdict", "detail"], rows::format_or_default(shared.format))?;
        match findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count() {
            0 => Ok(()),
            n => Err(Failure::found(format!("{n} checks failed"))),
        }
    }
}

impl Finding {
    fn new(what: impl Into<String>, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, detail: detail.into().trim().to_owned() }
    }

    fn row(&self) -> Row {
        let verdict = match self.verdict {
            Verdict::Good => "good",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad",
        };
        match json!({"check": self.what, "verdict": verdict, "detail": self.detail}) {
            Value::Object(row) => row,
            _ => Row::new(),
        }
    }
}

fn folder(settings: &Settings) -> Finding {
    let path = settings.data.display();
    if let Some(holder) = Folder::holder(&settings.data) {
        let at = holder.http.map_or_else(|| "starting".to_owned(), |http| format!("http://{http}"));
        return Finding::new("folder", Verdict::Good, format!("{path} is served by process {} ({at})", holder.pid));
    }
    if !settings.data.exists() {
        return Finding::new("folder", Verdict::Good, format!("{path} does not exist yet; `serve` makes it"));
    }
    match partitura_service::has_format(&settings.data) {
        Ok(true) => Finding::new("folder", Verdict::Good, format!("{path} is a data folder, not in use")),
        Ok(false) => Finding::new("folder", Verdict::Good, format!("{path} holds no data yet; `serve` makes it")),
        Err(problem) => Finding::new("folder", Verdict::Bad, problem.to_string()),
    }
}

/// Returns the folder itself, or its nearest parent that exists.
fn existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute.ancestors().find(|folder| folder.is_dir()).map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

fn disk(data: &Path) -> Finding {
    let path = existing(data).join(".partitura-doctor");
    let timed = || -> std::io::Result<Duration> {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
        let mut took = Vec::new();
        for _ in 0..20 {
            file.write_all(&[0; 4096])?;
            let started = Instant::now();
            file.sync_data()?;
            took.push(started.elapsed());
        }
        took.sort();
        Ok(took[took.len() / 2])
    };
    let measured = timed();
    let _ = fs::remove_file(&path);
    match measured {
        Ok(median) if median > Duration::from_millis(50) => {
            let detail = format!("an fsync takes {median:.1?}: each durable append waits for one; use a faster disk");
            Finding::new("disk", Verdict::Warn, detail)
        }
        Ok(median) => Finding::new("disk", Verdict::Good, format!("an fsync takes {median:.1?}")),
        Err(error) => Finding::new("disk", Verdict::Bad, format!("{} cannot be written: {error}", path.display())),
    }
}

fn space(data: &Path) -> Finding {
    match partitura_service::free_space(&existing(data)) {
        None => Finding::new("space", Verdict::Warn, "the free space cannot be read"),
        Some(free) if free < 1 << 30 => {
            Finding::new("space", Verdict::Warn, format!("{} MiB are free; free some more", free >> 20))
        }
        Some(free) => Finding::new("space", Verdict::Good, format!("{} GiB are free", free >> 30)),
    }
}

/// What the running server says of its parts.
async fn served(settings: &Settings) -> Vec<Finding> {
    let Some(http) = Folder::holder(&settings.data).and_then(|holder| holder.http) else { return Vec::new() };
    let port = http.port();
    let asked = match Client::new(&format!("127.0.0.1:{port}"), None, None) {
        Ok(client) => client.ready().await,
        Err(failure) => Err(failure),
    };
    let ready = match asked {
        Ok(ready) => ready,
        Err(failure) => return vec![Finding::new("server", Verdict::Bad, failure.to_string())],
    };
    let part = |part: &Value| {
        let text = |name: &str| part[name].as_str().unwrap_or_default();
        let verdict = match text("state") {
            "ok" => Verdict::Good,
            "failed" => Verdict::Bad,
            _ => Verdict::Warn,
        };
        Finding::new(format!("server {}", text("name")), verdict, format!("{} {}", text("state"), text("detail")))
    };
    ready["parts"].as_array().into_iter().flatten().map(part).collect()
}

async fn port(settings: &Settings) -> Finding {
    if Folder::holder(&settings.data).is_some() {
        return Finding::new("port", Verdict::Good, "the running server has its own");
    }
    match partitura_net::bind("http", settings.http).await {
        Ok(listener) => Finding::new("port", Verdict::Good, format!("{} is free", listener.address())),
        Err(problem) => Finding::new("port", Verdict::Bad, problem.to_string()),
    }
}

fn certificate(settings: &Settings) -> Finding {
    match load_tls(settings) {
        Ok(tls) => {
            Finding::new("certificate", Verdict::Good, if tls.is_some() { "can be used" } else { "none is set" })
        }
        Err(problem) => Finding::new("certificate", Verdict::Bad, problem.to_string()),
    }
}

/// Whether an address that may be off is free.
async fn door(settings: &Settings, name: &'static str, address: Option<SocketAddr>) -> Finding {
    if address.is_some() && Folder::holder(&settings.data).is_some() {
        return Finding::new(name, Verdict::Good, "the running server has its own");
    }
    match partitura_net::bind_optional(name, address).await {
        Ok(None) => Finding::new(name, Verdict::Good, "off"),
        Ok(Some(bound)) => Finding::new(name, Verdict::Good, format!("{} is free", bound.address())),
        Err(problem) => Finding::new(name, Verdict::Bad, problem.to_string()),
    }
}

fn runtime(settings: &Settings) -> Finding {
    match partitura_service::onnx_runtime(settings) {
        Ok(path) => Finding::new("onnxruntime", Verdict::Good, path.display().to_string()),
        Err(problem) => Finding::new("onnxruntime", Verdict::Warn, problem.to_string()),
    }
}

fn model(settings: &Settings) -> Finding {
    match partitura_service::model_folder(settings) {
        Ok(path) => Finding::new("model", Verdict::Good, format!("{} in {}", settings.model, path.display())),
        Err(problem) => Finding::new("model", Verdict::Warn, problem.to_string()),
    }
}

fn keys(settings: &Settings) -> Finding {
    let any = settings.data.join("keys.json").exists();
    match (settings.http.ip().is_loopback(), any) {
        (false, false) => {
            let detail = format!("{} needs a key; `partitura keys create` makes one", settings.http);
            Finding::new("keys", Verdict::Bad, detail)
        }
        (_, true) => Finding::new("keys", Verdict::Good, "keys are in use"),
        (true, false) => Finding::new("keys", Verdict::Good, "none; only this machine is let in"),
    }
}

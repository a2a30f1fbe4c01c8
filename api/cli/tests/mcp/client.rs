//! The real clients: which there are, and how one is made to talk.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::Server;

/// Whose client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    Python,
    TypeScript,
}

/// How it reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Http,
    Stdio,
}

/// One client, and how it talks.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub sdk: Sdk,
    pub way: Way,
    /// `legacy`, `auto`, or a version; the TypeScript client knows the handshake only.
    pub mode: &'static str,
}

/// What a client says of a conversation.
pub struct Told {
    pub version: Value,
    pub answers: Vec<Value>,
}

impl Client {
    /// The one that is used where the client does not matter.
    pub const PYTHON: Self = Self { sdk: Sdk::Python, way: Way::Http, mode: "2026-07-28" };

    /// Returns all that can run here.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for way in [Way::Http, Way::Stdio] {
            for mode in ["legacy", "auto", "2026-07-28"] {
                all.push(Self { sdk: Sdk::Python, way, mode });
            }
            if has_node() {
                all.push(Self { sdk: Sdk::TypeScript, way, mode: "legacy" });
            }
        }
        all
    }

    /// Takes the steps one after the other.
    pub async fn talk(self, server: &Server, key: Option<&str>, steps: Value) -> Told {
        let mut plan = match self.way {
            Way::Http => {
                let headers = key.map_or_else(|| json!({}), |key| json!({"authorization": format!("Bearer {key}")}));
                json!({"url": format!("{}/mcp", server.url), "headers": headers})
            }
            Way::Stdio => {
                let mut arguments = vec!["mcp", "--url", &server.url];
                arguments.extend(key.iter().flat_map(|key| ["--key", *key]));
                command(&arguments)
            }
        };
        plan["mode"] = json!(self.mode);
        plan["steps"] = steps;
        self.run(plan).await
    }

    /// Runs the client with a plan.
    pub async fn run(self, plan: Value) -> Told {
        let said = tokio::task::spawn_blocking(move || self.output(&plan)).await.expect("the client runs");
        let answers = said["answers"].as_array().cloned().unwrap_or_else(|| panic!("{self:?}: {said}"));
        Told { version: said["version"].clone(), answers }
    }

    fn output(self, plan: &Value) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp");
        let mut command = match self.sdk {
            Sdk::Python => {
                let mut command = Command::new(installed("PARTITURA_MCP_PYTHON"));
                command.arg(script.join("client.py"));
                command
            }
            Sdk::TypeScript => {
                let mut command = Command::new("node");
                command.arg(script.join("client.mjs")).arg(installed("PARTITURA_MCP_NODE"));
                command
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the client starts");
        let mut input = child.stdin.take().expect("stdin is piped");
        input.write_all(plan.to_string().as_bytes()).expect("the client reads its plan");
        drop(input);
        let output = child.wait_with_output().expect("the client ends");
        assert!(output.status.success(), "{self:?} ended with {}", output.status);
        serde_json::from_slice(&output.stdout).expect("the client prints JSON")
    }
}

/// Returns the plan of a server that the client starts.
pub fn command(arguments: &[&str]) -> Value {
    json!({"command": env!("CARGO_BIN_EXE_partitura"), "args": arguments, "env": {"PARTITURA_MODEL": "off"}})
}

fn installed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"")
    })
}

fn has_node() -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    if (runs("node") && runs("npm")) || std::env::var_os("CI").is_some() {
        return true;
    }
    eprintln!("node or npm is missing: the TypeScript client is left out");
    false
}

/// Returns the text of an answer.
pub fn text(answer: &Value) -> &str {
    answer["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

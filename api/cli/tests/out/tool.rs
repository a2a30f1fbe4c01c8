//! Runs a story of a Python tool, and reads what it found.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::process::finished;

fn python(script: &str, story: &str) -> Command {
    let python = std::env::var_os("PARTITURA_OUT_PYTHON")
        .expect("the tools are installed: scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/out");
    let mut command = Command::new(python);
    command.arg("-B").arg(folder.join(script)).arg(story);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a story to its end; returns what it found.
pub fn story(script: &str, story: &str, arguments: &Value) -> Value {
    let output = finished(&mut python(script, story), &arguments.to_string());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {story}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script} {story}: {error}: {errors}"))
}

/// A story that goes on until it is dropped, and the line that it began with.
pub struct Running {
    child: Child,
    pub began: Value,
}

impl Running {
    /// Starts one.
    pub fn start(script: &str, story: &str) -> Self {
        let mut child = python(script, story).stderr(Stdio::inherit()).spawn().expect("Python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("a line");
        let began = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{script} {story}: {error}: {line}"));
        Self { child, began }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Runs a story of a client against a server, and reads what it found.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::process::finished;
use crate::server::Server;
use crate::world::address;

/// Returns a path of what `scripts/setup.sh clients` installs.
pub fn installed(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.unwrap_or_else(|| {
        panic!("{variable} is not set: run scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"")
    })
}

/// Returns a path of the tests.
pub fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Runs a command to its end with `input`.
pub fn run(command: &mut Command, input: &str) -> Output {
    for name in ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS", "PGSSLMODE"] {
        command.env_remove(name);
    }
    finished(command, input)
}

/// Runs a story in Python with host, port and more arguments; returns what it found.
pub fn story(script: &str, name: &str, server: &Server, arguments: Value) -> Value {
    let mut python = Command::new(installed("PARTITURA_PG_PYTHON"));
    answered(python.arg("-B").arg(here("pg").join(script)).arg(name), server, arguments)
}

/// Runs a story with the JavaScript client; `None` on a machine without npm, where only CI insists on it.
pub fn node_story(script: &str, server: &Server) -> Option<Value> {
    let npm = || Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success());
    if std::env::var_os("CI").is_none() && !npm() {
        eprintln!("npm is missing: the JavaScript client is left out");
        return None;
    }
    let mut node = Command::new("node");
    node.arg(here("pg").join(script)).arg(installed("PARTITURA_PG_NODE"));
    Some(answered(&mut node, server, json!({})))
}

fn answered(command: &mut Command, server: &Server, arguments: Value) -> Value {
    let address = address(server);
    let (host, port) = address.rsplit_once(':').expect("a port");
    let mut given = json!({"host": host, "port": port.parse::<u16>().expect("a port")});
    for (name, value) in arguments.as_object().into_iter().flatten() {
        given[name] = value.clone();
    }
    let output = run(command, &given.to_string());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}: {errors}"))
}

/// Asserts what was said of a connection that was refused: drivers have no SQLSTATE of that.
pub fn told(found: &Value, parts: &[&str]) {
    let text = found["text"].as_str().expect("a text");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

/// Asserts that a call was refused: its SQLSTATE, and what was said.
pub fn refused(found: &Value, state: &str, parts: &[&str]) {
    assert_eq!(found["state"], state, "{found}");
    told(found, parts);
}

//! Runs a story of a Python client against a server, and reads what it found.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::finished;
use crate::server::Server;

/// Starts a server with Flight SQL on a free port.
pub fn server(arguments: &[&str]) -> Server {
    Server::start_with(&[&["--flight", "127.0.0.1:0"], arguments].concat())
}

/// Runs Python with a script beside this file.
pub fn python(script: &str, arguments: &[&str]) -> Command {
    let python = std::env::var_os("PARTITURA_FLIGHT_PYTHON")
        .expect("the clients are installed: scripts/setup.sh clients, then eval \"$(scripts/env.sh)\"");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/flight");
    let mut command = Command::new(python);
    command.arg("-B").arg(folder.join(script)).args(arguments);
    command
}

/// Runs a story with more arguments than the server's address; returns what it found.
pub fn story(script: &str, name: &str, server: &Server, arguments: Value) -> Value {
    let mut given = json!({"uri": server.listeners["flight"]});
    for (name, value) in arguments.as_object().into_iter().flatten() {
        given[name] = value.clone();
    }
    let output = finished(&mut python(script, &[name]), &given.to_string());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {name}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script} {name}: {error}: {errors}"))
}

/// Asserts that a call was refused, and what was said.
pub fn refused(found: &Value, kind: &str, parts: &[&str]) {
    assert_eq!(found["type"], kind, "{found}");
    let text = found["text"].as_str().expect("a text");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

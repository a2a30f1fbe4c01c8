//! TLS: encrypted with a good certificate, no start with a bad one, never plain text where others listen.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::client::{here, installed, run, story, told};
use crate::server::{self, Server};
use crate::world::server;

fn certificate(folder: &Path, first: &str, last: &str) -> (PathBuf, PathBuf) {
    let mut python = Command::new(installed("PARTITURA_PG_PYTHON"));
    let made = run(python.arg("-B").arg(here("flight/certificate.py")).arg(folder).args([first, last]), "");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (folder.join("cert.pem"), folder.join("key.pem"))
}

#[tokio::test]
async fn clients_encrypt_when_there_is_a_certificate() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let (cert, key) = certificate(temp.path(), "-1", "30");
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let server = server(&["--tls-cert", cert, "--tls-key", key]);
    let full = json!({"connect": {"sslmode": "verify-full", "sslrootcert": cert}});
    let found = story("psycopg3_client.py", "encrypted", &server, full);
    assert_eq!(found, json!({"rows": [[1]], "tls": true}));
    let direct = json!({"connect": {"sslmode": "require", "sslnegotiation": "direct"}});
    assert_eq!(story("psycopg3_client.py", "encrypted", &server, direct)["tls"], true);
    let plain = story("psycopg3_client.py", "encrypted", &server, json!({"connect": {"sslmode": "disable"}}));
    assert_eq!(plain["tls"], false, "this machine may speak plainly to itself");
}

#[tokio::test]
async fn plain_text_is_refused_where_others_listen() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let (cert, key_file) = certificate(temp.path(), "-1", "30");
    let data = temp.path().join("data");
    let made = server::run(&[
        "keys",
        "create",
        "--data",
        data.to_str().expect("text"),
        "--scopes",
        "read",
        "--format",
        "json",
    ]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key: serde_json::Value = serde_json::from_slice(&made.stdout).expect("a key");
    let key = key["key"].as_str().or_else(|| key[0]["key"].as_str()).expect("its text").to_owned();
    let tls = ["--tls-cert", cert.to_str().expect("text"), "--tls-key", key_file.to_str().expect("text")];
    let server = Server::start_in(&data, &[&["--pg", "0.0.0.0:0"][..], &tls].concat());
    let connect =
        |mode: &str| json!({"host": "127.0.0.1", "user": "any", "connect": {"sslmode": mode, "password": key}});
    let plain = story("psycopg3_client.py", "plainly", &server, connect("disable"));
    told(&plain["said"], &["encrypted connections only", "sslmode=require"]);
    assert_eq!(story("psycopg3_client.py", "encrypted", &server, connect("require"))["tls"], true);
}

#[test]
fn a_bad_certificate_keeps_the_server_from_starting() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let (cert, key) = certificate(&temp.path().join("expired"), "-30", "-1");
    let tls = ["--tls-cert", cert.to_str().expect("text"), "--tls-key", key.to_str().expect("text")];
    let started = Server::try_start_in(&temp.path().join("data"), &[&["--pg", "127.0.0.1:0"][..], &tls].concat());
    let said = started.err().expect("it does not start");
    assert!(said.contains("expired at ") && said.contains("renew the certificate"), "{said}");
}

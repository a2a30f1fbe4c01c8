//! TLS: encrypted with a good certificate, no start with a bad one, never plain text instead.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::python::{python, refused, story};
use crate::server::Server;

fn certificate(folder: &Path, first: &str, last: &str) -> (PathBuf, PathBuf) {
    let made =
        python("certificate.py", &[folder.to_str().expect("text"), first, last]).status().expect("Python starts");
    assert!(made.success());
    (folder.join("cert.pem"), folder.join("key.pem"))
}

fn start(folder: &Path, cert: &Path, key: &Path) -> Result<Server, String> {
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let arguments = ["--flight", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
    Server::try_start_in(&folder.join("data"), &arguments)
}

#[tokio::test]
async fn a_driver_connects_over_tls() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let (cert, key) = certificate(temp.path(), "-1", "30");
    let server = start(temp.path(), &cert, &key).expect("it starts");
    assert!(server.listeners["flight"].starts_with("grpc+tls://127.0.0.1:"), "{:?}", server.listeners);
    let pem = std::fs::read_to_string(&cert).expect("the file");
    let found = story("adbc_client.py", "plain", &server, json!({"certificate": pem}));
    assert_eq!(found["rows"], json!([[0]]));
    let plain = server.listeners["flight"].replace("grpc+tls", "grpc");
    let found = story("raw_client.py", "refused_plain", &server, json!({"uri": plain}));
    assert_ne!(found["said"]["type"], "none", "plain text is not answered: {found}");
    let untrusting = story("adbc_client.py", "untrusting", &server, json!({}));
    refused(&untrusting["said"], "OperationalError", &["certificate"]);
}

#[test]
fn a_bad_certificate_keeps_the_server_from_starting() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let at = |name: &str| temp.path().join(name);
    let (good, key) = certificate(&at("good"), "-1", "30");
    let (expired, expired_key) = certificate(&at("expired"), "-30", "-1");
    let (early, early_key) = certificate(&at("early"), "1", "30");
    std::fs::write(at("empty"), "").expect("a file");
    for (cert, key, parts) in [
        (&expired, &expired_key, ["expired at ", "renew the certificate"]),
        (&early, &early_key, ["is not valid before ", "clock"]),
        (&at("nowhere"), &key, ["cannot be read", "check the path"]),
        (&good, &at("nowhere"), ["cannot be read", "check the path"]),
        (&at("empty"), &key, ["holds no certificate", "PEM"]),
        (&good, &at("empty"), ["holds no private key", "PEM"]),
        (&good, &expired_key, ["is not the key of the certificate", "its own key"]),
    ] {
        let said = start(temp.path(), cert, key).err().expect("it does not start");
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
    }
    let alone = ["--flight", "127.0.0.1:0", "--tls-cert", good.to_str().expect("text")];
    let said = Server::try_start_in(&at("data"), &alone).err().expect("it does not start");
    assert!(said.contains("`tls_cert` is set without `tls_key`"), "{said}");
}

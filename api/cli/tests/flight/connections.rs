//! Connections: silent ones end, too many are turned away, and neither costs those that work.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::python::{server, story};
use crate::server::Server;

/// Longer than any of these takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.listeners["flight"].trim_start_matches("grpc://")).await.expect("it listens")
}

/// Waits until the server hangs up.
async fn ends(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server hangs up");
}

#[tokio::test]
async fn silent_connections_end() {
    let server = server(&["--idle-timeout", "700ms"]);
    let mut silent = connect(&server).await;
    ends(&mut silent).await;
    assert_eq!(story("raw_client.py", "one", &server, json!({}))["rows"], json!([{"n": 1}]));
}

#[tokio::test]
async fn who_finds_no_place_is_hung_up_on_and_comes_again() {
    let server = server(&["--connections-max", "20"]);
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect(&server).await);
    }
    let mut late = connect(&server).await;
    ends(&mut late).await;
    assert_eq!(server.get("/healthz").await.status, 200, "the other doors have places of their own");
    drop(idle);
    assert_eq!(story("raw_client.py", "one", &server, json!({}))["rows"], json!([{"n": 1}]));
}

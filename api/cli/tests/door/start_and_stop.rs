//! Starting and stopping: clear refusals, a clean end, nothing lost.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, run};

#[tokio::test]
async fn a_clean_stop_is_quick_and_loses_nothing() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let server = Server::start_in(temp.path(), &[]);
    let open = server.request(Method::GET, "/v1/events/stream").send().await.expect("a stream");
    for n in 0..20 {
        let event = json!({"type": "note.taken", "source": "t", "id": n.to_string(), "data": {}});
        server.post("/v1/events", &event).await.expect(201);
    }
    let (took, _) = server.terminate();
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(open);
    let server = Server::start_in(temp.path(), &[]);
    assert_eq!(server.rows("SELECT count(*) AS n FROM events", 20).await, json!([{"n": 20}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_is_bounded_and_loses_nothing() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let server = Server::start_in(temp.path(), &["--shutdown-max", "2s"]);
    let slow = json!({"sql": "SELECT count(*) FROM generate_series(1, 90000000000) a WHERE a.value % 7 = 3", "timeout_ms": 600_000});
    let endless = tokio::spawn(server.request(Method::POST, "/v1/sql").json(&slow).send());
    let url = server.url.clone();
    let writers: Vec<_> = (0..8_u64).map(|number| tokio::spawn(write_until_refused(url.clone(), number))).collect();
    for n in 1..=200_u64 {
        server
            .post("/v1/events", &json!({"type": "note.taken", "source": "t", "id": n.to_string(), "data": {}}))
            .await
            .expect(201);
    }
    let stopping = tokio::task::spawn_blocking(move || server.terminate());
    let (took, _) = tokio::time::timeout(Duration::from_secs(60), stopping).await.expect("it stops").expect("cleanly");
    assert!(took < Duration::from_secs(30), "queries are cut off: {took:?}");
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("a writer ends"));
    }
    drop(endless);
    let server = Server::start_in(temp.path(), &[]);
    let head = server.get("/readyz").await.expect(200).json["head"].as_u64().expect("a position");
    let told = server.rows("SELECT source, id, position FROM events WHERE source LIKE 'w%'", head).await;
    let stored: BTreeMap<String, u64> = told
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                format!("{}/{}", row["source"].as_str().expect("text"), row["id"].as_str().expect("text")),
                row["position"].as_u64().expect("a position"),
            )
        })
        .collect();
    for (name, position) in acknowledged {
        assert_eq!(stored.get(&name), Some(&position), "{name}");
    }
}

/// Appends one event after the other until the server is gone; returns what was acknowledged, with its position.
async fn write_until_refused(url: String, number: u64) -> Vec<(String, u64)> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let event = json!({"type": "note.taken", "source": format!("w{number}"), "id": n.to_string(), "data": {}});
        let Ok(sent) = client.post(format!("{url}/v1/events")).json(&event).send().await else { break };
        if sent.status() != 201 {
            assert_eq!(sent.status(), 503, "a stopping server says so");
            break;
        }
        let Ok(answer) = sent.json::<Value>().await else { break };
        acknowledged.push((format!("w{number}/{n}"), answer["position"].as_u64().expect("a position")));
    }
    acknowledged
}

#[tokio::test]
async fn a_second_server_is_told_of_the_first() {
    let server = Server::start();
    let said = Server::try_start_in(&server.folder, &[]).err().expect("it is refused");
    assert!(said.contains(&server.url) && said.contains("in use by process"), "{said}");
}

#[tokio::test]
async fn an_address_in_use_is_said_in_a_sentence() {
    let server = Server::start();
    let address = server.url.trim_start_matches("http://");
    let temp = tempfile::TempDir::new().expect("a folder");
    let said = Server::try_start_in(temp.path(), &["--http", address]).err().expect("it is refused");
    assert!(said.contains("is in use by another program") && said.contains("--http"), "{said}");
}

#[tokio::test]
async fn other_machines_need_a_key() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let said = Server::try_start_in(temp.path(), &["--http", "0.0.0.0:0"]).err().expect("it is refused");
    assert!(said.contains("partitura keys create"), "{said}");
    let folder = temp.path().to_str().expect("text");
    let made = run(&["keys", "create", "--data", folder, "--scopes", "read", "--format", "json"]);
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let server = Server::start_in(temp.path(), &["--http", "0.0.0.0:0"]);
    let port = server.url.rsplit(':').next().expect("a port");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://127.0.0.1:{port}/v1/events");
    assert_eq!(client.get(&url).send().await.expect("an answer").status(), 401);
    let key = made[0]["key"].as_str().expect("a key");
    assert_eq!(client.get(&url).bearer_auth(key).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn flight_is_served_beside_http_under_the_same_rules() {
    let server = Server::start_with(&["--flight", "127.0.0.1:0"]);
    let flight = server.listeners["flight"].strip_prefix("grpc://").expect("no certificate is set");
    let temp = tempfile::TempDir::new().expect("a folder");
    let said = Server::try_start_in(temp.path(), &["--flight", flight]).err().expect("it is refused");
    assert!(said.contains("is in use by another program") && said.contains("--flight"), "{said}");
    let said = Server::try_start_in(temp.path(), &["--flight", "0.0.0.0:0"]).err().expect("it is refused");
    assert!(said.contains("partitura keys create"), "{said}");
    let said = Server::try_start_in(temp.path(), &["--flight", "of"]).err().expect("it is refused");
    assert!(said.contains("`flight` takes an address") && said.contains("or off"), "{said}");
    let without = Server::start_in(temp.path(), &["--flight", "off"]);
    assert_eq!(without.listeners.keys().collect::<Vec<_>>(), ["http"]);
}

#[tokio::test]
async fn a_newer_folder_is_left_alone() {
    let temp = tempfile::TempDir::new().expect("a folder");
    std::fs::write(temp.path().join("FORMAT"), "99\n").expect("a file");
    let said = Server::try_start_in(temp.path(), &[]).err().expect("it is refused");
    assert!(said.contains("is of format 99") && said.contains("newer partitura"), "{said}");
}

#[test]
fn a_folder_without_its_format_is_not_guessed_at() {
    for (format, says) in [("0\n", "says \"0\""), ("one\n", "says \"one\""), ("", "says \"\"")] {
        let temp = tempfile::TempDir::new().expect("a folder");
        std::fs::write(temp.path().join("FORMAT"), format).expect("a file");
        let said = Server::try_start_in(temp.path(), &[]).err().expect("it is refused");
        assert!(said.contains("not a whole data folder") && said.contains(says), "{said}");
    }
    let temp = tempfile::TempDir::new().expect("a folder");
    std::fs::create_dir(temp.path().join("log")).expect("a folder");
    let said = Server::try_start_in(temp.path(), &[]).err().expect("it is refused");
    assert!(said.contains("has a log but no FORMAT file"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_made_is_said_in_a_sentence() {
    let output = run(&["serve", "--data", "/proc/nowhere", "--http", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("cannot be written") && said.contains("--data"), "{said}");
}

#[test]
fn settings_say_where_they_come_from() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let file = temp.path().join("partitura.toml");
    std::fs::write(&file, "queries_max = 3\nlog = \"warn\"\n").expect("a file");
    let mut command = crate::server::program();
    command.args(["config", "--format", "json", "--log", "debug", "--config"]).arg(&file);
    let output = command.env("PARTITURA_FLUSH_ROWS", "7").output().expect("the program starts");
    let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let of = |name: &str| {
        let row = rows.as_array().expect("rows").iter().find(|row| row["setting"] == name).expect("the setting");
        (row["value"].as_str().unwrap_or_default().to_owned(), row["origin"].as_str().unwrap_or_default().to_owned())
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of("queries_max"), pair("3", "file"));
    assert_eq!(of("log"), pair("debug", "flag"));
    assert_eq!(of("flush_rows"), pair("7", "environment"));
    assert_eq!(of("appends_max"), pair("256", "default"));
    std::fs::write(&file, "queries_maxx = 3\n").expect("a file");
    let mut command = crate::server::program();
    let output = command.args(["config", "--config"]).arg(&file).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("queries_maxx") && said.contains("did you mean queries_max"), "{said}");
}

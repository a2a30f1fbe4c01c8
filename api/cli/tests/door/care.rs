//! Backup of a running server, restore, verify.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Server, run};

fn json_of(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_whole() {
    let server = Server::start();
    let event = |n: u64| json!({"type": "task.created", "source": "t", "id": n.to_string(), "data": {"task_id": n.to_string(), "title": "T"}});
    let events: Vec<_> = (1..=500).map(event).collect();
    server.post("/v1/events", &json!(events)).await.expect(201);
    let url = server.url.clone();
    let writing = tokio::spawn(async move {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        for n in 501..900_u64 {
            let sent = client.post(format!("{url}/v1/events")).json(&event(n)).send().await.expect("an answer");
            assert_eq!(sent.status(), 201);
        }
    });
    let temp = tempfile::TempDir::new().expect("a folder");
    let (copy, restored) = (temp.path().join("copy"), temp.path().join("restored"));
    let folder = server.folder.to_str().expect("text").to_owned();
    let text = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let made = json_of(&run(&["backup", "--data", &folder, &text(&copy)]));
    writing.await.expect("the writer ends");
    let position = made["position"].as_u64().expect("a position");
    assert!((500..=899).contains(&position), "{made}");
    let refused = run(&["backup", "--data", &folder, &text(&copy)]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is not empty"));

    let back = json_of(&run(&["restore", "--data", &text(&restored), &text(&copy)]));
    assert_eq!((&back["position"], &back["chain"]), (&made["position"], &made["chain"]));
    let checked = json_of(&run(&["verify", "--data", &text(&restored)]));
    assert_eq!(checked["chain"], made["chain"]);
    let other = Server::start_in(&restored, &[]);
    let rows = other.rows("SELECT count(*) AS n FROM tasks", position).await;
    assert_eq!(rows, json!([{"n": position}]));
    for sql in ["SELECT * FROM tasks ORDER BY task_id", "SELECT * FROM events ORDER BY position"] {
        let asked = json!({"sql": sql, "as_of": position, "wait_ms": 20_000});
        let (live, copied) = (server.post("/v1/sql", &asked).await, other.post("/v1/sql", &asked).await);
        assert_eq!(live.expect(200).text, copied.expect(200).text, "{sql}");
    }
    let live = json_of(&run(&["verify", "--url", &server.url]));
    assert_eq!(live["position"], 899);
}

#[tokio::test]
async fn a_flipped_bit_is_found_and_named() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let data = temp.path().to_str().expect("text");
    let server = Server::start_in(temp.path(), &[]);
    let event =
        |n: u64| json!({"type": "note.taken", "source": "t", "id": n.to_string(), "data": {"text": "x".repeat(900)}});
    for n in 0..40 {
        server.post("/v1/events", &event(n)).await.expect(201);
    }
    server.terminate();
    let whole = run(&["verify", "--data", data]);
    assert_eq!(json_of(&whole)["events"], 40);
    let segment = std::fs::read_dir(temp.path().join("log"))
        .expect("the log")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("the segment");
    let at = 20_000;
    assert_ne!(bytes[at], 0, "something is written there");
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).expect("the segment");
    let said = run(&["verify", "--data", data]);
    assert_eq!(said.status.code(), Some(70), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let name = segment.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(said.contains(name) && said.contains("at byte "), "{said}");
    let refused = Server::try_start_in(temp.path(), &[]).err().expect("a damaged log is not served");
    assert!(refused.contains(name), "{refused}");
}

#[tokio::test]
async fn rebuilt_tables_say_the_same() {
    let server = Server::start();
    let folder = server.folder.to_str().expect("text").to_owned();
    let made = run(&["simulate", "--data", &folder, "--days", "8", "--tasks-per-day", "4", "--until", "2026-03-01"]);
    let position = json_of(&made)["position"].as_u64().expect("a position");
    let questions = [
        "SELECT * FROM tasks ORDER BY task_id",
        "SELECT * FROM attempts ORDER BY attempt_id",
        "SELECT * FROM events ORDER BY position",
        "SELECT * FROM costs ORDER BY interaction_id",
    ];
    let mut before = Vec::new();
    for sql in questions {
        before.push(server.rows(sql, position).await);
    }
    let built = json_of(&run(&["rebuild", "--data", &folder]));
    assert_eq!((&built["events"], &built["parked"]), (&json!(position), &json!(0)), "{built}");
    for (sql, before) in questions.iter().zip(before) {
        assert_eq!(server.rows(sql, position).await, before, "{sql}");
    }
    let one = json_of(&run(&["rebuild", "--data", &folder, "tasks"]));
    assert_eq!(one["tables"], json!(["tasks"]), "{one}");
    let wrong = run(&["rebuild", "--data", &folder, "task"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean tasks"));
}

/// Waits until the part `tables` of `/readyz` is in `state`, and returns it.
async fn tables_are(server: &Server, state: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let ready = server.get("/readyz").await.expect(200).json;
        let parts = ready["parts"].as_array().into_iter().flatten();
        let part = parts.clone().find(|part| part["name"] == "tables").expect("the part is there").clone();
        if part["state"] == state {
            return part;
        }
        assert!(Instant::now() < until, "the tables do not become {state}: {ready}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn rows_that_cannot_be_written_stay_visible_and_the_failure_is_told() {
    let mut server = Server::start_with(&["--flush-after", "100ms"]);
    let (tables, away) = (server.folder.join("tables"), server.folder.join("tables.away"));
    std::fs::rename(&tables, &away).expect("the folder is moved");
    std::fs::write(&tables, "in the way").expect("a file takes its place");
    let event = json!({"type": "note.taken", "source": "t", "id": "1", "data": {}});
    server.post("/v1/events", &event).await.expect(201);
    let part = tables_are(&server, "retrying").await;
    assert!(part["detail"].as_str().is_some_and(|detail| detail.contains("trying again")), "{part}");
    let count = "SELECT count(*) AS n FROM events";
    assert_eq!(server.rows(count, 1).await, json!([{"n": 1}]));
    let told = server.rows("SELECT last_error FROM system.projections WHERE name = 'tables'", 1).await;
    assert_eq!(told, json!([{"last_error": "writing to files is being retried; see the log"}]));
    let metrics = server.get("/metrics").await.expect(200).text;
    assert!(metrics.contains("\npartitura_tables_failing 1\n"), "{metrics}");

    std::fs::remove_file(&tables).expect("the file is removed");
    std::fs::rename(&away, &tables).expect("the folder comes back");
    tables_are(&server, "ok").await;
    let told = server.rows("SELECT last_error FROM system.projections WHERE name = 'tables'", 1).await;
    assert_eq!(told, json!([{"last_error": null}]));
    let folder = server.folder.clone();
    server.kill();
    let again = Server::start_in(&folder, &[]);
    assert_eq!(again.rows(count, 1).await, json!([{"n": 1}]));
}

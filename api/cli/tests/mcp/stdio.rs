//! `partitura mcp`: a folder without a server, a server that is not there, lines that are no messages, cancelling.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, Sdk, Way, command, text};
use crate::server::{Server, program, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_without_a_server_is_served() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("team");
    let folder = folder.to_str().expect("a path");
    let client = Client { sdk: Sdk::Python, way: Way::Stdio, mode: "legacy" };
    let plan = |steps: Value| {
        let mut plan = command(&["mcp", "--data", folder]);
        plan["mode"] = json!("legacy");
        plan["steps"] = steps;
        plan
    };
    let note = json!({"call": "add_memory", "arguments": {"knowledge_id": "k", "text": "the pelican nests"}});
    let told = client.run(plan(json!([note]))).await.answers;
    assert_eq!(told[0]["structuredContent"]["results"][0]["position"], 1, "{}", told[0]);
    let get = json!({"call": "get_memory", "arguments": {"knowledge_id": "k", "min_position": 1, "wait_ms": 30_000}});
    let told = client.run(plan(json!([get]))).await.answers;
    assert!(text(&told[0]).contains("the pelican nests"), "it was kept: {}", told[0]);
    // Beside a running server the folder's own is used, by its lock.
    let server = Server::start_in(std::path::Path::new(folder), &[]);
    let told = client.run(plan(json!([get]))).await.answers;
    assert!(text(&told[0]).contains("the pelican nests"), "{}", told[0]);
    let rows = server.rows("SELECT text FROM knowledge", 1).await;
    assert_eq!(rows, json!([{"text": "the pelican nests"}]));
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    let out = run(&["mcp", "--url", "http://127.0.0.1:9"]);
    assert_eq!(out.status.code(), Some(8));
    assert!(String::from_utf8_lossy(&out.stderr).contains("nothing answers"), "{out:?}");
    assert!(out.stdout.is_empty(), "{out:?}");
}

/// Reads the next message; a test that waits for one that never comes is ended by the limit of the run.
fn next(out: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_answered_one_by_one() {
    let server = Server::start();
    let mut child = program()
        .args(["mcp", "--url", &server.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut say = |line: &str| writeln!(input, "{line}").expect("the program reads");
    say("this is no JSON");
    let broken = next(&mut out);
    assert_eq!((&broken["error"]["code"], &broken["id"]), (&json!(-32700), &Value::Null), "{broken}");
    say("");
    say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    say(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#);
    assert_eq!(next(&mut out)["id"], "a", "notifications and empty lines are not answered");
    // A cancelled query ends in the server too.
    let slow = "SELECT count(*) FROM generate_series(1, 2000000000) a WHERE a.value % 7 = 3";
    let call = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": {"name": "query_sql", "arguments": {"sql": slow, "timeout_ms": 300_000}}});
    say(&call.to_string());
    let running = async || {
        let rows = server.rows(
            "SELECT count(*) AS n FROM system.queries WHERE sql LIKE '%2000000000%' AND sql NOT LIKE '%system%'",
            0,
        );
        rows.await[0]["n"].as_u64().expect("a count")
    };
    let started = Instant::now();
    while running().await == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "the query runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#);
    while running().await > 0 {
        assert!(started.elapsed() < Duration::from_secs(120), "the query was cancelled");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    say(r#"{"jsonrpc":"2.0","id":6,"method":"ping"}"#);
    assert_eq!(next(&mut out)["id"], 6, "what was cancelled is not answered");
    // What was asked before the end of the input is answered.
    say(r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#);
    drop(input);
    let last = next(&mut out);
    assert_eq!((&last["id"], last["result"]["tools"].as_array().map(Vec::len)), (&json!(7), Some(11)), "{last}");
    assert!(child.wait().expect("the program ends").success());
}

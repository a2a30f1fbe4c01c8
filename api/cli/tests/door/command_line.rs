//! The commands, against a folder with and without a server.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::server::{Server, program, run};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_folder_is_worked_on_without_a_server() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let data = temp.path().join("data");
    let data = data.to_str().expect("text");
    let missing = run(&["sql", "--data", data, "SELECT 1"]);
    assert_eq!(missing.status.code(), Some(4), "{}", said(&missing));
    assert!(said(&missing).contains("partitura serve"), "{}", said(&missing));

    let mut child = program()
        .args(["append", "--data", data])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("stdin");
    for n in 0..3 {
        writeln!(input, "{}", json!({"type": "task.created", "source": "t", "id": n.to_string(), "data": {"task_id": n.to_string(), "title": "T"}})).expect("a line");
    }
    drop(input);
    let appended = child.wait_with_output().expect("it ends");
    assert_eq!(
        String::from_utf8_lossy(&appended.stdout).trim(),
        r#"{"duplicates":0,"new":3,"position":3,"refused":0}"#
    );

    let asked =
        run(&["sql", "--data", data, "--format", "csv", "--min-position", "3", "SELECT count(*) AS n FROM tasks"]);
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "n\n3\n", "{}", said(&asked));
    let wrong = run(&["sql", "--data", data, "SELECT * FROM taskz"]);
    assert_eq!(wrong.status.code(), Some(4));
    assert!(said(&wrong).contains("did you mean tasks"), "{}", said(&wrong));
    assert!(wrong.stdout.is_empty());
    let param = run(&[
        "sql",
        "--data",
        data,
        "--min-position",
        "3",
        "-p",
        "id=\"1\"",
        "SELECT task_id FROM tasks WHERE task_id = $id",
    ]);
    assert_eq!(String::from_utf8_lossy(&param.stdout).trim(), r#"{"task_id":"1"}"#, "{}", said(&param));
    let tailed = run(&["tail", "--data", data, "--after", "0", "--no-follow"]);
    assert_eq!(String::from_utf8_lossy(&tailed.stdout).lines().count(), 3, "{}", said(&tailed));
    let out = temp.path().join("out");
    let exported =
        run(&["export", "--data", data, "--as", "ndjson", "-o", out.to_str().expect("text"), "tasks", "events"]);
    assert!(exported.status.success(), "{}", said(&exported));
    let lines = std::fs::read_to_string(out.join("events.ndjson")).expect("the file");
    assert_eq!(lines.lines().count(), 3);
}

#[tokio::test]
async fn the_running_server_is_found_by_its_lock() {
    let server = Server::start();
    let data = server.folder.to_str().expect("text").to_owned();
    let made = run(&["simulate", "--data", &data, "--days", "5", "--tasks-per-day", "4", "--until", "2026-03-01"]);
    let tally: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!((tally["refused"].as_u64(), tally["duplicates"].as_u64()), (Some(0), Some(0)), "{}", said(&made));
    let again = run(&["simulate", "--data", &data, "--days", "5", "--tasks-per-day", "4", "--until", "2026-03-01"]);
    let twice: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!((twice["new"].as_u64(), &twice["duplicates"]), (Some(0), &tally["new"]), "the same events again");
    let keys =
        run(&["keys", "create", "--data", &data, "--scopes", "read", "--workspace", "team-a", "--format", "json"]);
    let keys: Value = serde_json::from_slice(&keys.stdout).expect("JSON");
    assert!(keys[0]["key"].as_str().is_some_and(|key| key.starts_with("pt_")));
    server.get("/v1/events").await.expect_problem(401, "key_needed");
    // Who owns the folder is let in by the secret in its lock.
    let list = run(&["keys", "list", "--data", &data, "--format", "json"]);
    assert!(list.status.success(), "{}", said(&list));
    let doctor = run(&["doctor", "--data", &data, "--format", "json"]);
    let findings: Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    let disk = findings.as_array().expect("rows").iter().find(|row| row["check"] == "disk").expect("the disk");
    assert!(disk["detail"].as_str().is_some_and(|text| text.contains("fsync")), "{findings}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(!run(&["completions", shell]).stdout.is_empty());
    }
}

const SQL: &str = "SELECT count(*) AS n FROM tasks WHERE title = 'reset'";

/// Runs one command against a server, against its folder, and against a folder that no server holds.
#[tokio::test]
async fn every_command_reaches_a_server_a_served_folder_and_a_folder() {
    let server = Server::start();
    let temp = tempfile::TempDir::new().expect("a folder");
    let text = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let (served, alone) = (text(&server.folder), text(&temp.path().join("alone")));
    let file = text(&temp.path().join("events.ndjson"));
    let lines: Vec<String> = (1..=3)
        .map(|n| json!({"type": "task.created", "source": "t", "id": n.to_string(), "data": {"task_id": n.to_string(), "title": "reset"}}).to_string())
        .collect();
    std::fs::write(&file, lines.join("\n")).expect("a file");
    for (n, target) in [["--url", &server.url], ["--data", &served], ["--data", &alone]].iter().enumerate() {
        let out = text(&temp.path().join(format!("out-{n}")));
        let copy = text(&temp.path().join(format!("copy-{n}")));
        let commands: Vec<(Vec<&str>, &str)> = vec![
            (vec!["append", &file], "\"refused\":0"),
            (vec!["sql", "--min-position", "3", SQL], "{\"n\":3}"),
            (vec!["search", "--mode", "text", "--min-position", "3", "reset"], "\"kind\":\"task\""),
            (vec!["tail", "--after", "0", "--no-follow"], "\"position\":3"),
            (vec!["simulate", "--days", "2", "--tasks-per-day", "2", "--until", "2026-03-01"], "\"refused\":0"),
            (vec!["rebuild", "tasks"], "\"tables\":[\"tasks\"]"),
            (vec!["verify"], "\"chain\":"),
            (vec!["export", "-o", &out, "tasks"], "tasks.parquet"),
            (vec!["export", "-o", &out, "--as", "csv", "--sql", "SELECT 1 AS one"], "query.csv"),
            (vec!["backup", &copy], "\"chain\":"),
            (vec!["keys", "list"], ""),
        ];
        for (command, says) in commands {
            let output = run(&[&target[..], &command].concat());
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{target:?} {command:?}: {}", said(&output));
            assert!(printed.contains(says), "{target:?} {command:?}: {printed}");
        }
        let wrong = run(&[&target[..], &["sql", "SELECT * FROM taskz"]].concat());
        assert_eq!(wrong.status.code(), Some(4), "{}", said(&wrong));
        assert!(said(&wrong).starts_with("partitura: ") && wrong.stdout.is_empty(), "{}", said(&wrong));
    }
    let nobody = run(&["sql", "--url", "http://127.0.0.1:9", "SELECT 1"]);
    assert_eq!(nobody.status.code(), Some(8), "{}", said(&nobody));
    assert!(said(&nobody).contains("nothing answers"), "{}", said(&nobody));
    let key = run(&["sql", "--url", &server.url, "--key", "pt_0_0", "SELECT 1"]);
    assert_eq!(key.status.code(), Some(6), "{}", said(&key));
}

#[tokio::test]
async fn rows_are_printed_in_every_format() {
    let server = Server::start();
    let event = json!({"type": "task.created", "source": "t", "id": "1", "time": "2026-01-05T10:00:00Z",
        "data": {"task_id": "1", "title": "a, \"b\" | c"}});
    server.post("/v1/events", &event).await.expect(201);
    let print = |command: &[&str], format: &str| {
        let output = run(&[&["--url", &server.url, "--format", format], command].concat());
        assert!(output.status.success(), "{command:?} {format}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let sql = ["sql", "--min-position", "1", "SELECT task_id, title FROM tasks"];
    assert_eq!(print(&sql, "json").trim(), r#"[{"task_id":"1","title":"a, \"b\" | c"}]"#);
    assert_eq!(print(&sql, "ndjson").trim(), r#"{"task_id":"1","title":"a, \"b\" | c"}"#);
    assert_eq!(print(&sql, "csv"), "task_id,title\n1,\"a, \"\"b\"\" | c\"\n");
    assert!(print(&sql, "markdown").contains("a, \"b\" \\| c"), "{}", print(&sql, "markdown"));
    assert!(print(&sql, "table").contains("a, \"b\" | c"), "{}", print(&sql, "table"));
    let commands: [&[&str]; 5] = [
        &["tail", "--after", "0", "--no-follow"],
        &["search", "--mode", "text", "--min-position", "1", "b"],
        &["config"],
        &["verify"],
        &["import", "--list"],
    ];
    for command in commands {
        let rows: Value = serde_json::from_str(&print(command, "json")).expect("JSON");
        assert!(rows.is_array() || rows["hits"].is_array(), "{command:?}: {rows}");
        let lines = print(command, "ndjson");
        assert!(
            lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|row| row.is_object())),
            "{lines}"
        );
        let csv = print(command, "csv");
        assert!(csv.lines().count() >= 2 && !csv.starts_with('{'), "{command:?}: {csv}");
        let markdown = print(command, "markdown");
        assert!(
            markdown.starts_with("| ") && markdown.lines().nth(1).is_some_and(|line| line.starts_with("| ---")),
            "{markdown}"
        );
        assert!(print(command, "table").lines().count() >= 1);
    }
}

#[tokio::test]
async fn the_doctor_finds_what_was_planted() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let data = temp.path().join("data");
    let data = data.to_str().expect("text");
    let server = Server::start();
    let taken = server.url.trim_start_matches("http://");
    let findings = |arguments: &[&str]| {
        let output = run(&[&["doctor", "--format", "json"], arguments].concat());
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        let verdicts: std::collections::BTreeMap<String, (String, String)> = rows
            .iter()
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                (text("check"), (text("verdict"), text("detail")))
            })
            .collect();
        (output.status.code(), verdicts)
    };
    let (code, healthy) = findings(&["--data", data, "--http", "127.0.0.1:0"]);
    assert_eq!(code, Some(0), "{healthy:?}");
    assert!(!std::path::Path::new(data).exists(), "the doctor makes nothing");
    let planted = [
        (vec!["--data", data, "--http", taken], "port", "bad", "is in use"),
        (vec!["--data", data, "--http", "0.0.0.0:0"], "keys", "bad", "partitura keys create"),
        (vec!["--data", "/proc/nowhere", "--http", "127.0.0.1:0"], "disk", "bad", "cannot be written"),
        (
            vec!["--data", data, "--http", "127.0.0.1:0", "--model", "all-MiniLM-L6-v2", "--model-dir", "/nowhere"],
            "model",
            "warn",
            "make setup",
        ),
    ];
    for (arguments, check, verdict, says) in planted {
        let (code, found) = findings(&arguments);
        let (given, detail) = found.get(check).unwrap_or_else(|| panic!("{check}: {found:?}"));
        assert!(given == verdict && detail.contains(says), "{check}: {found:?}");
        assert_eq!(code, Some(i32::from(verdict == "bad")), "{check}: {found:?}");
    }
    std::fs::create_dir_all(data).expect("a folder");
    std::fs::write(std::path::Path::new(data).join("FORMAT"), "7\n").expect("a file");
    let (code, found) = findings(&["--data", data, "--http", "127.0.0.1:0"]);
    assert!(code == Some(1) && found["folder"].1.contains("is of format 7"), "{found:?}");
    let (_, found) = findings(&["--data", server.folder.to_str().expect("text")]);
    assert_eq!(found["server log"].0, "good", "{found:?}");
    assert!(
        found["server semantic_search"].0 == "warn" && found["server semantic_search"].1.contains("off"),
        "{found:?}"
    );
}

const MAPPING: &str = r#"
name = "runs"
source = "nightly"

[[event]]
type = "attempt.started"
id = "{run}/started"
time = { from = "{when}", time = "%Y-%m-%d %H:%M:%S" }
[event.data]
attempt_id = "{run}"
task_id = "{issue}"
agent_id = "{agent}"

[[event]]
type = "outcome.recorded"
id = "{run}/passed"
time = { from = "{when}", time = "%Y-%m-%d %H:%M:%S" }
[event.data]
attempt_id = "{run}"
name = "passed"
success = { from = "{passed}", bool = true }
evaluator = "code"
"#;

#[test]
fn importing_twice_doubles_nothing() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let path = |name: &str| temp.path().join(name).to_str().expect("text").to_owned();
    std::fs::write(path("runs.toml"), MAPPING).expect("a file");
    let rows = "run,when,agent,issue,passed\nr-1,2026-01-05 10:00:00,claude,PAY-3,1\n\
                r-2,2026-01-05 11:00:00,grok,PAY-4,0\nr-3,yesterday,grok,PAY-5,0\n";
    std::fs::write(path("runs.csv"), rows).expect("a file");
    let (data, csv, toml, rejects) = (path("data"), path("runs.csv"), path("runs.toml"), path("rejects.jsonl"));
    let import = |more: &[&str]| {
        let fixed = ["import", "--data", &data, "--map", &toml, "--rejects", &rejects];
        run(&[&fixed[..], more, &[&csv]].concat())
    };
    let dry = import(&["--dry-run"]);
    assert_eq!(String::from_utf8_lossy(&dry.stdout).lines().count(), 4, "{}", said(&dry));
    assert!(!std::path::Path::new(&data).exists(), "nothing was written");
    let first = import(&[]);
    assert_eq!(first.status.code(), Some(2), "rows were rejected: {}", said(&first));
    let tally: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!((&tally["new"], &tally["rejected"]), (&json!(4), &json!(2)), "{tally}");
    let reasons = std::fs::read_to_string(&rejects).expect("the rejects");
    assert!(reasons.lines().all(|line| line.contains("\"row\":4") && line.contains("yesterday")), "{reasons}");
    let again: Value = serde_json::from_slice(&import(&[]).stdout).expect("JSON");
    assert_eq!((&again["new"], &again["duplicates"]), (&json!(0), &json!(4)), "{again}");
    let unknown = run(&["import", "--data", &data, "--map", "aider_event", &csv]);
    assert!(said(&unknown).contains("aider_events"), "{}", said(&unknown));
    let list = run(&["import", "--list", "--format", "ndjson"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("swebench_bashonly"), "{}", said(&list));
}

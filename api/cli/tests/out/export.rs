//! `partitura export` to a folder: one file a table, or a data set that grows, changes and heals.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Server, run};
use crate::tool::story;
use crate::world::{DAYS, calls, files, printed, said, task, well, write};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("_partitura.json")).expect("a manifest")).expect("JSON")
}

/// The paths that a manifest lists of a table.
fn listed(folder: &Path, table: &str) -> Vec<String> {
    let manifest = manifest(folder);
    let files = manifest["tables"][table]["files"].as_array().expect("files").iter();
    files.map(|file| file["path"].as_str().expect("a path").to_owned()).collect()
}

/// Asserts that a data set holds what its manifest lists, byte by byte, and nothing else.
fn whole(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = files(folder);
    found.remove("_partitura.json");
    let manifest = manifest(folder);
    let tables = manifest["tables"].as_object().expect("tables");
    let listed: Vec<&Value> = tables.values().flat_map(|table| table["files"].as_array().expect("files")).collect();
    let paths: std::collections::BTreeSet<_> = listed.iter().filter_map(|file| file["path"].as_str()).collect();
    assert_eq!(paths, found.keys().map(String::as_str).collect(), "{manifest}");
    for file in listed {
        assert_eq!(file["bytes"], found[file["path"].as_str().expect("a path")].len(), "{file}");
    }
    found
}

#[tokio::test]
async fn a_data_set_is_read_as_hive_lays_it_out() {
    let server = Server::start();
    write(&server, &calls(0, 90)).await;
    let temp = tempfile::TempDir::new().expect("a folder");
    for kind in ["parquet", "csv", "arrow", "ndjson"] {
        let out = temp.path().join(kind);
        let by = "date(time),agent_id";
        let made = well(&[
            "export",
            "--url",
            &server.url,
            "--as",
            kind,
            "--partition-by",
            by,
            "-o",
            text(&out),
            "interactions",
        ]);
        assert_eq!(printed(&made).len(), 6, "{}", said(&made));
        assert!(printed(&made)[0].contains("interactions/date=2026-01-05/agent_id=claude/"), "{:?}", printed(&made));
        assert_eq!(whole(&out).len(), 6);
    }
    let found = story("exports.py", "hive", &json!({"folder": temp.path()}));
    for tool in ["duckdb", "polars", "pyarrow"] {
        let per_day: BTreeMap<&str, u64> = DAYS.iter().map(|day| (*day, 30)).collect();
        assert_eq!(found[tool]["days"], json!(per_day), "{tool}: {found}");
        assert_eq!(found[tool]["agents"], json!({"claude": 45, "gröss/2": 45}), "{tool}: {found}");
        assert_eq!(found[tool]["tokens"], 90 * 89 / 2, "{tool}: {found}");
    }
    assert_eq!(found["csv_rows"], 90, "{found}");
    assert_eq!(found["arrow_rows"], 90, "{found}");
    assert_eq!(found["ndjson_rows"], 90, "{found}");
}

#[tokio::test]
async fn what_is_new_is_added_and_what_changed_is_replaced() {
    let server = Server::start();
    let temp = tempfile::TempDir::new().expect("a folder");
    let out = temp.path().join("set");
    let first = [task("1", "core", "one"), task("2", "core", "two"), task("3", "web", "three")];
    write(&server, &[&calls(0, 30)[..], &first].concat()).await;
    let export = || {
        well(&["export", "--url", &server.url, "--incremental", "--partition-by", "team", "-o", text(&out), "tasks"]);
        well(&["export", "--url", &server.url, "--incremental", "-o", text(&out), "events"])
    };
    export();
    let before = whole(&out);
    assert_eq!((listed(&out, "events").len(), listed(&out, "tasks").len()), (1, 2));
    assert_eq!(manifest(&out)["position"], 33);

    // Nothing happened: nothing is written.
    let idle = export();
    assert!(printed(&idle).is_empty(), "{:?}", printed(&idle));
    assert_eq!(whole(&out), before);

    // A task of one team changes, another moves to a team of its own; calls are added.
    let changed = json!({"type": "task.updated", "source": "out", "id": "u1", "time": "2026-01-08T09:00:00Z",
        "data": {"task_id": "2", "title": "two, renamed", "team": "ops"}});
    write(&server, &[&calls(30, 5)[..], &[changed]].concat()).await;
    export();
    let after = whole(&out);
    let kept: Vec<_> =
        before.iter().filter(|(path, bytes)| after.get(*path) == Some(bytes)).map(|(path, _)| path).collect();
    assert!(
        kept.iter().any(|path| path.starts_with("tasks/team=web/")),
        "what did not change is not written again: {kept:?}"
    );
    assert!(kept.iter().any(|path| path.starts_with("events/")), "what is there of the log stays: {kept:?}");
    assert_eq!(listed(&out, "events").len(), 2, "one file more, of what is new");
    assert_eq!(listed(&out, "tasks").len(), 3);
    let found = story("exports.py", "tasks", &json!({"folder": out}));
    assert_eq!(
        found["tasks"],
        json!([["1", "one", "core"], ["2", "two, renamed", "ops"], ["3", "three", "web"]]),
        "{found}"
    );
    assert_eq!(found["events"], json!([39, 39, 1, 39]), "each event once: {found}");

    // Asked for in another way, it is begun anew, and what was there is taken away.
    well(&["export", "--url", &server.url, "--incremental", "--as", "ndjson", "-o", text(&out), "events"]);
    let renewed = whole(&out);
    let of_events: Vec<_> = renewed.keys().filter(|path| path.starts_with("events/")).collect();
    assert!(of_events.len() == 1 && of_events[0].ends_with(".ndjson"), "{of_events:?}");
    let lines = String::from_utf8(renewed[of_events[0]].clone()).expect("text");
    assert_eq!(lines.lines().count(), 39);
}

#[tokio::test]
async fn an_export_that_broke_off_is_healed_and_strangers_are_left_alone() {
    let server = Server::start();
    write(&server, &calls(0, 10)).await;
    let temp = tempfile::TempDir::new().expect("a folder");
    let out = temp.path().join("set");
    let export = || run(&["export", "--url", &server.url, "--incremental", "-o", text(&out), "events"]);
    assert!(export().status.success());
    let own = listed(&out, "events");
    // What one that broke off left, in the names of an exporter; and files of others.
    let left = out.join("events/00000000000000000099-0003.parquet");
    let theirs = [out.join("events/notes.parquet"), out.join("README.md"), out.join("events/1-2.parquet")];
    std::fs::write(&left, "half a file").expect("a file");
    theirs.iter().for_each(|path| std::fs::write(path, "mine").expect("a file"));
    write(&server, &calls(10, 10)).await;
    let healed = export();
    assert!(healed.status.success() && said(&healed).contains("1 removed"), "{}", said(&healed));
    assert!(!left.exists() && theirs.iter().all(|path| path.exists()));
    assert!(own.iter().all(|path| out.join(path).exists()) && listed(&out, "events").len() == 2);

    // The log of another server does not continue it.
    let other = Server::start();
    write(&other, &calls(0, 1)).await;
    let wrong = run(&["export", "--url", &other.url, "--incremental", "-o", text(&out), "events"]);
    assert_eq!(wrong.status.code(), Some(5), "{}", said(&wrong));
    assert!(said(&wrong).contains("position 20") && said(&wrong).contains("another server"), "{}", said(&wrong));
    std::fs::write(out.join("_partitura.json"), "{}").expect("a file");
    let wrong = export();
    assert!(wrong.status.code() == Some(5) && said(&wrong).contains("not a manifest"), "{}", said(&wrong));
}

#[tokio::test]
async fn files_end_at_their_limits() {
    let server = Server::start();
    write(&server, &calls(0, 100)).await;
    let temp = tempfile::TempDir::new().expect("a folder");
    let out = temp.path().join("set");
    let by_rows = ["--file-rows", "30", "--row-group-rows", "7", "-o", text(&out), "interactions"];
    let made = well(&[&["export", "--url", &server.url][..], &by_rows].concat());
    assert_eq!(printed(&made).len(), 4, "{:?}", printed(&made));
    let found = story("exports.py", "row_groups", &json!({"folder": out}));
    assert_eq!(found["rows"], json!([30, 30, 30, 10]), "{found}");
    assert_eq!(found["groups"], json!([[7, 7, 7, 7, 2], [7, 7, 7, 7, 2], [7, 7, 7, 7, 2], [7, 3]]), "{found}");
    let again = well(&[&["export", "--url", &server.url][..], &by_rows].concat());
    assert!(printed(&again).is_empty(), "the same rows make the same files: {:?}", printed(&again));

    let sized = temp.path().join("sized");
    let by_bytes = ["export", "--url", &server.url, "--as", "csv", "--file-bytes", "1KB", "-o", text(&sized), "events"];
    assert!(printed(&well(&by_bytes)).len() <= 1 + whole(&sized).len());
    let lines: usize =
        whole(&sized).values().map(|bytes| bytes.iter().filter(|byte| **byte == b'\n').count() - 1).sum();
    assert_eq!(lines, 100, "no row is lost where a file ends");
}

#[tokio::test]
async fn a_query_is_exported_and_a_folder_without_a_server() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let (data, out) = (temp.path().join("data"), temp.path().join("out"));
    let server = Server::start_in(&data, &[]);
    write(&server, &calls(0, 12)).await;
    server.terminate();
    let sql = "SELECT agent_id, count(*) AS calls FROM interactions GROUP BY agent_id ORDER BY 1 -- by agent";
    let offline = ["export", "--data", text(&data), "-o", text(&out), "--as", "csv"];
    well(&[&offline[..], &["--sql", sql, "--name", "by_agent"]].concat());
    let rows = std::fs::read_to_string(out.join("by_agent.csv")).expect("the file");
    assert_eq!(rows.lines().count(), 3, "{rows}");
    assert!(rows.contains("claude,6") && rows.contains("gröss/2,6"), "{rows}");
    well(&[&offline[..], &["knowledge"]].concat());
    let empty = std::fs::read_to_string(out.join("knowledge.csv")).expect("the file");
    assert!(
        empty.starts_with("knowledge_id,") && empty.lines().count() == 1,
        "an empty table has its columns: {empty}"
    );
    let every = well(&offline);
    let names: Vec<_> = printed(&every);
    for table in ["tasks.csv", "attempts.csv", "interactions.csv", "events.csv"] {
        assert!(names.iter().any(|name| name.ends_with(table)), "{table}: {names:?}");
    }
}

#[tokio::test]
async fn wrong_exports_are_refused_with_the_next_step() {
    let server = Server::start();
    write(&server, &calls(0, 3)).await;
    let temp = tempfile::TempDir::new().expect("a folder");
    let out = temp.path().join("set");
    let file = temp.path().join("file");
    std::fs::write(&file, "a file").expect("a file");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["taskz"], 4, "did you mean tasks"),
        (&["--partition-by", "dat(time)", "events"], 2, "date(…)"),
        (&["--partition-by", "tim", "events"], 4, "time"),
        (&["--partition-by", "time,time", "events"], 2, "stands twice"),
        (&["--sql", "SELECT * FROM taskz"], 4, "did you mean tasks"),
        (&["--sql", "SELECT 1 AS one", "--name", "../up"], 2, "cannot name files"),
        (&["--name", "mine", "events"], 2, "give it with --sql"),
        (&["--name", "mine"], 2, "give it with --sql"),
        (&["--file-bytes", "much", "events"], 2, "a size such as 256MiB"),
        (&["--as", "xlsx", "events"], 2, "parquet"),
    ];
    for (arguments, code, says) in cases {
        let fixed = ["export", "--url", &server.url, "-o", text(&out)];
        let refused = run(&[&fixed[..], arguments].concat());
        assert_eq!(refused.status.code(), Some(*code), "{arguments:?}: {}", said(&refused));
        assert!(said(&refused).contains(says), "{arguments:?}: {}", said(&refused));
        assert!(!out.join("_partitura.json").exists(), "{arguments:?}");
    }
    for (target, says) in [
        (text(&file), "cannot be written"),
        ("ftp://host/x", "s3://bucket/prefix"),
        ("s3://key:secret@bucket/x", "never from the URL"),
    ] {
        let refused = run(&["export", "--url", &server.url, "-o", target, "events"]);
        assert!(!refused.status.success() && said(&refused).contains(says), "{target}: {}", said(&refused));
    }
}

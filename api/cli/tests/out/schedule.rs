//! Exports that the server does by itself: by interval, retried, seen from outside, through restarts.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::Answer;
use crate::server::Server;
use crate::world::{calls, files, write};

/// Longest that something is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server whose `partitura.toml` has these exports.
fn serve(temp: &TempDir, exports: &str) -> Result<Server, String> {
    let config = temp.path().join("partitura.toml");
    std::fs::write(&config, exports).expect("a file");
    Server::try_start_in(&temp.path().join("data"), &["--config", config.to_str().expect("text")])
}

async fn export(server: &Server, name: &str) -> Value {
    let list = server.get("/v1/exports").await.expect(200).json;
    let found = list["data"].as_array().expect("a list").iter().find(|export| export["name"] == name);
    found.cloned().unwrap_or_else(|| panic!("{name}: {list}"))
}

/// Waits until an export is as it should be.
async fn until(server: &Server, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let shown = export(server, name).await;
        if fits(&shown) {
            return shown;
        }
        assert!(Instant::now() < end, "{shown}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn exported(folder: &Path) -> usize {
    let found = files(folder);
    let lines = |bytes: &Vec<u8>| bytes.iter().filter(|byte| **byte == b'\n').count();
    found.iter().filter(|(path, _)| path.ends_with(".ndjson")).map(|(_, bytes)| lines(bytes)).sum()
}

#[tokio::test]
async fn it_exports_by_itself_and_a_restart_goes_on() {
    let temp = TempDir::new().expect("a folder");
    let out = temp.path().join("out");
    let toml = format!(
        "[[exports]]\nname = \"calls\"\ntables = [\"events\"]\ntarget = {out:?}\nformat = \"ndjson\"\n\
         partition_by = \"date(time)\"\nevery = \"1s\"\n\n\
         [[exports]]\nname = \"agents\"\nsql = \"SELECT agent_id, count(*) AS n FROM interactions GROUP BY 1\"\n\
         target = {:?}\nevery = \"12h\"\n",
        temp.path().join("agents")
    );
    let mut server = serve(&temp, &toml).expect("it starts");
    let position = write(&server, &calls(0, 9)).await;
    let shown = until(&server, "calls", |export| export["last"]["position"].as_u64() >= Some(position)).await;
    assert!(shown["error"].is_null() && shown["every"] == "1s" && shown["runs"].as_u64() >= Some(1), "{shown}");
    assert_eq!(exported(&out), 9);
    let count = until(&server, "agents", |export| export["runs"] == 1).await;
    assert_eq!(count["status"], "waiting");
    assert!(count["next_run_at"].as_str() > count["started_at"].as_str(), "{count}");

    let table = "SELECT name, status, runs >= 1 AS ran, failures, error FROM system.exports ORDER BY name";
    let rows = server.rows(table, 0).await;
    assert_eq!(rows[0], json!({"name": "agents", "status": "waiting", "ran": true, "failures": 0, "error": null}));
    let metrics = server.get("/metrics").await.expect(200).text;
    assert!(metrics.lines().any(|line| line == "partitura_export_runs_total{export=\"agents\"} 1"), "{metrics}");
    assert!(metrics.contains("partitura_export_failures{export=\"calls\"} 0"), "{metrics}");

    // Out of turn, by the operator.
    let run = Answer::of(server.request(Method::POST, "/v1/exports/agents/run")).await.expect(202);
    assert_eq!(run.json["name"], "agents");
    until(&server, "agents", |export| export["runs"] == 2).await;
    let near = Answer::of(server.request(Method::POST, "/v1/exports/agentz/run")).await;
    assert_eq!(near.expect_problem(404, "unknown_export").json["suggestions"][0], "agents");

    // A kill, and a start: what is due is done, what is not is not, nothing is there twice.
    server.kill();
    drop(server);
    let server = serve(&temp, &toml).expect("it starts again");
    let position = write(&server, &calls(9, 6)).await;
    until(&server, "calls", |export| export["last"]["position"].as_u64() >= Some(position)).await;
    assert_eq!(exported(&out), 15, "each event once");
    assert_eq!(export(&server, "agents").await["runs"], 2, "it is not due for hours");
    server.terminate();
    assert_eq!(exported(&out), 15);
}

#[tokio::test]
async fn a_target_that_is_away_is_tried_again() {
    let temp = TempDir::new().expect("a folder");
    let out = temp.path().join("out");
    std::fs::write(&out, "a file where the folder should be").expect("a file");
    let toml = format!(
        "[[exports]]\nname = \"e\"\ntables = [\"events\"]\ntarget = {out:?}\nformat = \"ndjson\"\nevery = \"1s\"\n"
    );
    let server = serve(&temp, &toml).expect("it starts");
    write(&server, &calls(0, 4)).await;
    let failing = until(&server, "e", |export| export["failures"].as_u64() >= Some(2)).await;
    assert!(["retrying", "running"].iter().any(|status| failing["status"] == *status), "{failing}");
    assert!(failing["error"].as_str().is_some_and(|error| error.contains("cannot be written")), "{failing}");
    assert!(failing["last"].is_null(), "{failing}");
    std::fs::remove_file(&out).expect("the file goes");
    let healed = until(&server, "e", |export| export["runs"].as_u64() >= Some(1)).await;
    assert!(healed["error"].is_null() && healed["failures"] == 0, "{healed}");
    assert_eq!(exported(&out), 4);
}

#[test]
fn what_could_never_run_keeps_the_server_from_starting() {
    let base = "name = \"e\"\ntarget = \"/tmp/x\"\nevery = \"1h\"\n";
    for (wrong, says) in [
        ("name = \"e\"\ntarget = \"/tmp/x\"\n", "every"),
        ("name = \"e\"\ntarget = \"/tmp/x\"\nevery = \"often\"\n", "such as 15m"),
        (&format!("{base}formt = \"csv\"\n"), "format"),
        (&format!("{base}format = \"xlsx\"\n"), "parquet"),
        (&format!("{base}partition_by = \"dat(time)\"\n"), "date(…)"),
        (&format!("{base}file_bytes = \"much\"\n"), "256MiB"),
        (&format!("{base}tables = [\"tasks\"]\nsql = \"SELECT 1\"\n"), "name one of them"),
        (&format!("{base}[[exports]]\n{base}"), "two exports"),
    ] {
        let temp = TempDir::new().expect("a folder");
        let said = serve(&temp, &format!("[[exports]]\n{wrong}")).err().unwrap_or_else(|| panic!("{wrong} is taken"));
        assert!(said.contains(says), "{wrong}: {said}");
    }
}

#[tokio::test]
async fn a_workspace_sees_its_own_exports() {
    let temp = TempDir::new().expect("a folder");
    let toml = format!(
        "[[exports]]\nname = \"a\"\nworkspace = \"alpha\"\ntables = [\"events\"]\ntarget = {:?}\nformat = \"ndjson\"\nevery = \"12h\"\n",
        temp.path().join("out")
    );
    let server = serve(&temp, &toml).expect("it starts");
    let ask = |workspace: &str| server.request(Method::GET, "/v1/exports").header("x-partitura-workspace", workspace);
    let alpha = Answer::of(ask("alpha")).await.expect(200).json;
    assert_eq!(alpha["data"][0]["name"], "a", "{alpha}");
    let beta = Answer::of(ask("beta")).await.expect(200).json;
    assert_eq!(beta["data"], json!([]));
    let rows = server.rows("SELECT count(*) AS n FROM system.exports", 0).await;
    assert_eq!(rows[0]["n"], 0, "another workspace's is not told");
}

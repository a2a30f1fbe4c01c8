//! Drivers that people use: values, parameters, transactions, errors, catalogs.

use serde_json::{Value, json};

use crate::client::{here, node_story, refused, run, story};
use crate::world::{address, filled, server};

#[tokio::test]
async fn values_keep_their_types_in_text_and_in_binary() {
    let server = server(&[]);
    let found = story("psycopg3_client.py", "types", &server, json!({}));
    let types = [
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "bool",
        "text",
        "numeric",
        "date",
        "timestamp",
        "timestamptz",
        "int8",
        "text",
        "int8",
        "text",
        "bytea",
        "interval",
        "numeric",
        "time",
        "text",
    ];
    assert_eq!(found["types"], json!(types), "{found}");
    let values = [
        "1",
        "2",
        "3",
        "1.5",
        "2.5",
        "True",
        "é",
        "1.25",
        "2026-01-02",
        "2026-01-02 03:04:05.000006",
        "2026-01-02 03:04:05+00:00",
        "[1, 2, None]",
        "['a', 'b c']",
        "None",
        "None",
        "b'x'",
        "32 days, 0:00:00",
        "-0.001",
        "01:02:03",
        "{x: 1}",
    ];
    assert_eq!(found["text"], json!(values));
    assert_eq!(found["binary"], json!(values));
}

#[tokio::test]
async fn parameters_mean_what_the_driver_meant() {
    let server = server(&[]);
    filled(&server).await;
    let found = story("psycopg3_client.py", "parameters", &server, json!({}));
    for (name, expected) in [
        ("text", json!([["i3"], ["i4"]])),
        ("binary", json!([["i3"]])),
        ("unknown_number", json!([["i1"], ["i2"], ["i3"], ["i4"]])),
        ("time", json!([[4]])),
        ("date", json!([[true]])),
        ("decimal", json!([[true]])),
        ("any", json!([[2]])),
        ("none_of", json!([[2]])),
        ("null", json!([[true]])),
        ("bool", json!([[true]])),
        ("float", json!([[0.5]])),
        ("uuid", json!([["00000000-0000-0000-0000-000000000001"]])),
        ("limit", json!([["i2"], ["i3"]])),
        ("search", json!([[true]])),
        ("hostile", json!([[0]])),
        ("prepared", json!([[[10]], [[20]], [[10]]])),
        ("after", json!([[1]])),
    ] {
        assert_eq!(found[name], expected, "{name}");
    }
    refused(&found["wrong"], "22P02", &["invalid input syntax for type int8", "many"]);
}

#[tokio::test]
async fn transactions_are_kept_and_writes_are_refused() {
    let server = server(&[]);
    let found = story("psycopg3_client.py", "transactions", &server, json!({}));
    assert_eq!((&found["status"], &found["in_error"]), (&json!("INTRANS"), &json!("INERROR")));
    refused(&found["failed"], "42703", &["broken_column"]);
    refused(&found["aborted"], "25P02", &["current transaction is aborted", "ROLLBACK"]);
    assert_eq!(
        (&found["nested"], &found["recovered"], &found["read_only"]),
        (&json!([[1]]), &json!([[2]]), &json!([[3]]))
    );
    for name in ["insert", "create", "drop", "update", "delete", "copy", "truncate"] {
        refused(&found[name], "25006", &["SQL is read-only", "POST /v1/events"]);
    }
    for (name, state) in
        [("into", "25006"), ("share", "25006"), ("file", "0A000"), ("listen", "0A000"), ("do", "0A000")]
    {
        refused(&found[name], state, &[]);
    }
    assert!(found["vacuum"]["state"].is_string(), "{}", found["vacuum"]);
    assert_eq!(found["after"], json!([[4]]), "no error ends a session");
}

#[tokio::test]
async fn errors_say_what_where_and_what_to_do() {
    let server = server(&[]);
    let found = story("psycopg3_client.py", "errors", &server, json!({}));
    refused(&found["syntax"], "42601", &[]);
    refused(&found["column"], "42703", &["agent_idd", "did you mean"]);
    assert_eq!(found["column"]["position"], "13", "characters are counted: {}", found["column"]);
    assert_eq!(found["column"]["code"], "sql_unknown_column");
    refused(&found["table"], "42P01", &["interaction", "interactions"]);
    refused(&found["function"], "42883", &["lenght"]);
    refused(&found["random"], "22023", &["random() is refused"]);
    refused(&found["long"], "54001", &["65536"]);
    refused(&found["deep"], "54001", &["nested"]);
    assert!(found["divided"]["state"].is_string() && found["several"]["state"].is_string(), "{found}");
    assert_eq!(found["after"], json!([[5]]));
}

#[tokio::test]
async fn psycopg_pipelines_and_copies() {
    let server = server(&[]);
    filled(&server).await;
    let found = story("psycopg3_client.py", "pipeline", &server, json!({}));
    assert_eq!(found["values"], json!((0..50).map(|n| n * 2).collect::<Vec<_>>()));
    refused(&found["failed"], "42703", &["nothing_of_that_name"]);
    assert_eq!(found["after"], json!([[3]]));
    let found = story("psycopg3_client.py", "copies", &server, json!({}));
    let text = |n: u64| format!("i{n}\t{}\tquéstion '{n}'\\n\"x\"\t\\N\n", n * 10);
    assert_eq!(found["text"], json!(text(1) + &text(2)));
    let csv = |n: u64| format!("i{n},{},\"quéstion '{n}'\n\"\"x\"\"\",\n", n * 10);
    let whole = format!("interaction_id,tokens_in,input,error\n{}{}", csv(1), csv(2));
    assert_eq!((&found["csv"], &found["old"]), (&json!(whole), &json!(whole)));
    assert_eq!(found["table"].as_str().map(|text| text.lines().count()), Some(4));
    assert_eq!(found["binary"][1], json!(["i2", 20, "quéstion '2'\n\"x\"", null]));
    assert_eq!(found["many"], 300_000);
    refused(&found["option"], "22023", &["no format \"xml\"", "csv"]);
}

#[tokio::test]
async fn psycopg2_reads() {
    let server = server(&[]);
    filled(&server).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let found = story("psycopg2_client.py", "everything", &server, json!({"file": file.path()}));
    assert_eq!(
        (&found["version"], &found["encoding"], &found["sum"]),
        (&json!(160_006), &json!("UTF8"), &json!(5_050))
    );
    assert_eq!(found["rows"][1], json!({"interaction_id": "i3", "tokens_in": 30, "input": "quéstion '3'\n\"x\""}));
    assert_eq!(found["copied"], "interaction_id\ni1\ni2\ni3\ni4\n");
    refused(&found["write"], "25006", &["read-only", "HINT:"]);
    assert_eq!(found["values"], json!(["None", "[1, 2]", "True", "1.5", "2026-01-01"]));
}

#[tokio::test]
async fn asyncpg_prepares_and_infers() {
    let server = server(&[]);
    filled(&server).await;
    let found = story("asyncpg_client.py", "everything", &server, json!({}));
    assert_eq!(found["version"], json!([16, 0]));
    assert_eq!(found["parameters"], json!(["int8"]));
    assert_eq!(found["columns"], json!([["interaction_id", "text"], ["tokens_in", "int8"]]));
    assert_eq!(found["rows"], json!([[["i2", 20], ["i3", 30], ["i4", 40]], [["i4", 40]]]));
    assert_eq!((&found["value"], &found["time"], &found["cast"]), (&json!(4), &json!(2), &json!(42)));
    assert_eq!((&found["limit"], &found["list"]), (&json!(["i1", "i2"]), &json!(["a", null, "c"])));
    assert_eq!((&found["search"], &found["timed_out"], &found["after"]), (&json!(true), &json!(true), &json!(1)));
    assert_eq!((&found["fetched"], &found["forward"], &found["iterated"]), (&json!([1, 2, 3]), &json!(9), &json!(120)));
    refused(&found["write"], "25006", &["read-only"]);
    assert_eq!(found["pool"], 190);
}

#[tokio::test]
async fn sqlalchemy_reflects_tables_and_views() {
    let server = server(&[]);
    filled(&server).await;
    let all = story("alchemy_client.py", "everything", &server, json!({}));
    for driver in ["psycopg", "psycopg2"] {
        let found = &all[driver];
        let has = |list: &Value, name: &str| list.as_array().expect("a list").contains(&json!(name));
        assert!(has(&found["schemas"], "public") && has(&found["schemas"], "system"), "{}", found["schemas"]);
        assert_eq!(found["default"], "public");
        assert!(has(&found["tables"], "events") && !has(&found["tables"], "handoffs"), "{}", found["tables"]);
        assert!(has(&found["views"], "handoffs") && has(&found["system"], "queries"), "{}", found["views"]);
        let columns = &found["columns"];
        for (name, ty) in [("position", "BIGINT"), ("id", "TEXT"), ("time", "TIMESTAMP"), ("data", "TEXT")] {
            assert_eq!(columns[name], ty, "{name}: {columns}");
        }
        assert!(found["comment"].as_str().is_some_and(|text| text.contains("event")), "{}", found["comment"]);
        assert!(found["column_comment"].is_string(), "{}", found["column_comment"]);
        assert_eq!((&found["has"], &found["definition"]), (&json!([true, false]), &json!(true)));
        assert_eq!((&found["foreign_keys"], &found["indexes"]), (&json!([]), &json!([])));
        assert_eq!(found["rows"], json!([["i1", 10], ["i3", 30]]));
        assert_eq!((&found["counted"], &found["streamed"]), (&json!(4), &json!(35)));
    }
}

#[tokio::test]
async fn node_postgres_reads() {
    let server = server(&[]);
    filled(&server).await;
    let Some(found) = node_story("node_client.mjs", &server) else { return };
    // It gives eight-byte numbers as text, because JavaScript's are too small for some.
    assert_eq!(found["simple"], json!([{"interaction_id": "i1", "tokens_in": "10"}]));
    assert_eq!(found["bound"], json!([{"interaction_id": "i3"}, {"interaction_id": "i4"}]));
    assert_eq!(found["named"], json!(["10", "20", "10"]));
    assert_eq!((&found["list"], &found["binary"]), (&json!("2"), &json!({"b": true, "n": 7})));
    assert_eq!(found["several"], json!([{"a": "1"}, {"b": "2"}]));
    assert_eq!(found["time"], "2026-01-01T00:00:00.000Z");
    assert_eq!((&found["error"]["code"], &found["error"]["position"]), (&json!("42703"), &json!("8")));
    assert_eq!(found["cursor"], json!([30, 30, 30, 10]));
    assert_eq!((&found["after"], &found["pool"]), (&json!([{"one": "1"}]), &json!(66)));
}

/// The driver is a Debian package, not one of Python or Node.js: the story is told where it and a JDK are.
#[tokio::test]
async fn jdbc_describes_and_reads() {
    let driver = std::env::var_os("PARTITURA_PG_JDBC").unwrap_or_else(|| "/usr/share/java/postgresql.jar".into());
    let driver = std::path::Path::new(&driver);
    if !driver.exists() || std::process::Command::new("javac").arg("-version").output().is_err() {
        eprintln!("pgjdbc or a JDK is missing: the story is left out");
        return;
    }
    let server = server(&[]);
    filled(&server).await;
    let address = address(&server);
    let (host, port) = address.rsplit_once(':').expect("a port");
    let mut java = std::process::Command::new("java");
    let output = run(java.arg("-cp").arg(driver).arg(here("pg/Story.java")).args([host, port]), "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        "version: 16",
        "schemas: information_schema pg_catalog public system",
        " events ",
        " handoffs",
        "interaction_id",
        " timestamptz",
        "rows: i3 i4",
        "fetched: 100",
        "refused: 25006",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

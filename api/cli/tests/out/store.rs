//! Exports to an object store: a real S3 server, reached by the variables of the environment.

use std::process::Output;

use serde_json::{Value, json};

use crate::server::{Server, program};
use crate::tool::{Running, story};
use crate::world::{calls, printed, said, write};

/// An S3 server with a bucket.
struct Store(Running);

impl Store {
    fn start() -> Self {
        Self(Running::start("s3.py", "serve"))
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let endpoint = self.0.began["endpoint"].as_str().expect("an address").to_owned();
        let fixed = [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
        let fixed = fixed.map(|(name, value)| (name, value.to_owned()));
        fixed.into_iter().chain([("AWS_ENDPOINT", endpoint)]).collect()
    }

    fn export(&self, arguments: &[&str]) -> Output {
        program().arg("export").args(arguments).envs(self.variables()).output().expect("the program starts")
    }

    fn look(&self, prefix: &str) -> Value {
        story("s3.py", "look", &json!({"endpoint": self.0.began["endpoint"], "prefix": prefix}))
    }
}

#[tokio::test]
async fn a_bucket_is_a_folder() {
    let (server, store) = (Server::start(), Store::start());
    write(&server, &calls(0, 60)).await;
    let to = ["--url", &server.url, "--allow-http", "--incremental", "-o", "s3://exports/team/set", "events"];
    let arguments = [&to[..], &["--partition-by", "date(time)"]].concat();
    let made = store.export(&arguments);
    assert!(made.status.success(), "{}", said(&made));
    assert_eq!(printed(&made).len(), 3);
    assert!(printed(&made)[0].starts_with("s3://exports/team/set/events/date=2026-01-05/"), "{:?}", printed(&made));
    let first = store.look("team/set/");
    assert_eq!((&first["rows"], &first["listed"]), (&json!(60), &first["found"]), "{first}");

    write(&server, &calls(60, 30)).await;
    assert!(store.export(&arguments).status.success());
    let second = store.look("team/set/");
    assert_eq!((&second["rows"], &second["distinct"]), (&json!(90), &json!(90)), "{second}");
    assert_eq!(second["found"].as_array().map(Vec::len), Some(6), "three files more: {second}");

    // What counts no more is removed there too.
    let anew = store.export(&[&to[..], &["--as", "csv"]].concat());
    assert!(anew.status.success() && said(&anew).contains("6 removed"), "{}", said(&anew));
    let third = store.look("team/set/");
    assert_eq!(third["found"].as_array().map(Vec::len), Some(1), "{third}");
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts() {
    let (server, store) = (Server::start(), Store::start());
    // Text that does not compress, so that one file is larger than what is sent at once.
    let sql = "SELECT md5(CAST(value AS VARCHAR)) AS a, md5(CAST(value + 1 AS VARCHAR)) AS b, \
        md5(CAST(value + 2 AS VARCHAR)) AS c FROM generate_series(1, 300000)";
    let arguments = ["--url", &server.url, "--allow-http", "--as", "csv", "--sql", sql, "-o", "s3://exports/large"];
    let made = store.export(&arguments);
    assert!(made.status.success(), "{}", said(&made));
    let found = store.look("large/");
    assert_eq!(found["found"], json!(["large/query.csv"]), "{found}");
    assert!(found["bytes"].as_u64() > Some(25_000_000) && found["lines"] == 300_001, "{found}");
    assert_eq!(found["parts"], true, "{found}");
}

#[tokio::test]
async fn a_store_that_refuses_is_told_of() {
    let (server, store) = (Server::start(), Store::start());
    write(&server, &calls(0, 3)).await;
    let plain = store.export(&["--url", &server.url, "-o", "s3://exports/x", "events"]);
    assert_eq!(plain.status.code(), Some(2), "{}", said(&plain));
    assert!(said(&plain).contains("--allow-http"), "{}", said(&plain));
    let missing = store.export(&["--url", &server.url, "--allow-http", "-o", "s3://nowhere/x", "events"]);
    assert_eq!(missing.status.code(), Some(4), "{}", said(&missing));
    assert!(said(&missing).contains("check the name of the bucket"), "{}", said(&missing));
    let mut gone = program();
    gone.args(["export", "--url", &server.url, "--allow-http", "-o", "s3://exports/x", "events"]);
    gone.envs(store.variables()).env("AWS_ENDPOINT", "http://127.0.0.1:9");
    let gone = gone.output().expect("the program starts");
    assert_eq!(gone.status.code(), Some(8), "{}", said(&gone));
    assert!(said(&gone).contains("AWS_ENDPOINT"), "{}", said(&gone));
}

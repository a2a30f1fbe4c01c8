//! A URL as a file: length, tag, parts; the same bytes for one reader, new rows for the next; bounded on the disk.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::json;

use crate::answer::Answer;
use crate::server::Server;
use crate::world::{calls, files, write};

/// A request with headers, its body unread.
async fn send(server: &Server, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = server.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("the server answers")
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn bytes(response: Response) -> Vec<u8> {
    response.bytes().await.expect("the answer is whole").to_vec()
}

const EVENTS: &str = "/v1/tables/events.parquet";

#[tokio::test]
async fn a_file_has_a_length_a_tag_and_parts() {
    let server = Server::start();
    write(&server, &calls(0, 500)).await;
    let head = send(&server, Method::HEAD, EVENTS, &[]).await;
    assert_eq!(head.status(), 200);
    let (tag, length) =
        (header(&head, "etag").to_owned(), header(&head, "content-length").parse::<usize>().expect("a length"));
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag} is strong");
    assert_eq!(header(&head, "accept-ranges"), "bytes");
    assert_eq!(header(&head, "content-type"), "application/vnd.apache.parquet");
    assert_eq!(header(&head, "x-partitura-position"), "500");
    assert!(header(&head, "last-modified").ends_with(" GMT"));
    assert!(bytes(head).await.is_empty());

    let whole = send(&server, Method::GET, EVENTS, &[]).await;
    assert_eq!((whole.status().as_u16(), header(&whole, "etag")), (200, &*tag));
    let whole = bytes(whole).await;
    assert_eq!(whole.len(), length);

    let (middle, last) = (format!("bytes=4-{}", length - 5), length - 1);
    let parts = [
        ("bytes=0-3", format!("bytes 0-3/{length}"), &whole[..4]),
        (&middle, format!("bytes 4-{}/{length}", length - 5), &whole[4..length - 4]),
        ("bytes=-4", format!("bytes {}-{last}/{length}", length - 4), &whole[length - 4..]),
        ("bytes=10-", format!("bytes 10-{last}/{length}"), &whole[10..]),
        ("bytes=10-999999999", format!("bytes 10-{last}/{length}"), &whole[10..]),
    ];
    for (range, says, expected) in parts {
        let part = send(&server, Method::GET, EVENTS, &[("range", range)]).await;
        assert_eq!((part.status().as_u16(), header(&part, "content-range")), (206, &*says), "{range}");
        assert_eq!(header(&part, "etag"), tag);
        assert_eq!(bytes(part).await, expected, "{range}");
    }
    for ignored in ["bytes=0-1,4-5", "rows=0-1", "bytes=9-2"] {
        let all = send(&server, Method::GET, EVENTS, &[("range", ignored)]).await;
        assert_eq!((all.status().as_u16(), bytes(all).await == whole), (200, true), "{ignored}");
    }
    let beyond = server.request(Method::GET, EVENTS).header("range", format!("bytes={length}-"));
    let beyond = Answer::of(beyond).await.expect_problem(416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), format!("bytes */{length}"));

    let known = send(&server, Method::GET, EVENTS, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status().as_u16(), header(&known, "etag")), (304, &*tag));
    assert!(bytes(known).await.is_empty());
    let wanted = send(&server, Method::GET, EVENTS, &[("if-match", &tag), ("range", "bytes=0-3")]).await;
    assert_eq!((wanted.status().as_u16(), bytes(wanted).await), (206, b"PAR1".to_vec()));
    let other = server.request(Method::GET, EVENTS).header("if-match", "\"other\"").header("range", "bytes=0-3");
    Answer::of(other).await.expect_problem(412, "file_changed");
    let stale = send(&server, Method::GET, EVENTS, &[("if-range", "\"other\""), ("range", "bytes=0-3")]).await;
    assert_eq!((stale.status().as_u16(), bytes(stale).await == whole), (200, true), "another file is sent whole");
}

#[tokio::test]
async fn one_reader_keeps_its_bytes_and_the_next_gets_new_rows() {
    let server = Server::start();
    write(&server, &calls(0, 300)).await;
    let (polars, duckdb) = (("user-agent", "polars"), ("user-agent", "duckdb"));
    let first = send(&server, Method::HEAD, EVENTS, &[polars]).await;
    let (before, length) = (header(&first, "etag").to_owned(), header(&first, "content-length").to_owned());
    let whole = bytes(send(&server, Method::GET, EVENTS, &[polars]).await).await;
    write(&server, &calls(300, 300)).await;

    // Who began before goes on with the same bytes, whatever was written and whoever else reads.
    let next = send(&server, Method::HEAD, EVENTS, &[duckdb]).await;
    let after = header(&next, "etag").to_owned();
    assert_ne!(after, before);
    assert_eq!(header(&next, "x-partitura-position"), "600");
    let half = whole.len() / 2;
    let (front, back) = (format!("bytes=0-{}", half - 1), format!("bytes={half}-"));
    let mut pieces = Vec::new();
    for range in [&front, &back] {
        let part = send(&server, Method::GET, EVENTS, &[polars, ("range", range)]).await;
        assert_eq!((header(&part, "etag"), header(&part, "x-partitura-position")), (&*before, "300"));
        assert!(header(&part, "content-range").ends_with(&length));
        pieces.extend(bytes(part).await);
    }
    assert!(pieces == whole, "the pieces are the file");
    let part = send(&server, Method::GET, EVENTS, &[duckdb, ("range", &front)]).await;
    assert_eq!(header(&part, "etag"), after);
    // A tag is stronger than who asks: any client continues a transfer that broke off.
    let resumed = send(&server, Method::GET, EVENTS, &[duckdb, ("if-range", &before), ("range", &back)]).await;
    assert_eq!((resumed.status().as_u16(), header(&resumed, "etag")), (206, &*before));
    assert!(bytes(resumed).await == whole[half..]);

    let all = send(&server, Method::GET, EVENTS, &[polars]).await;
    assert_eq!((header(&all, "etag"), header(&all, "x-partitura-position")), (&*after, "600"), "a whole file is new");
    let least = send(&server, Method::HEAD, &format!("{EVENTS}?min_position=600"), &[polars]).await;
    assert_eq!(header(&least, "x-partitura-position"), "600", "who names a position gets it");
    let past = send(&server, Method::HEAD, &format!("{EVENTS}?as_of=300"), &[polars]).await;
    assert_eq!(header(&past, "x-partitura-position"), "300");
}

#[tokio::test]
async fn files_have_all_rows_of_tables_and_queries() {
    let server = Server::start_with(&["--query-rows-max", "10"]);
    write(&server, &calls(0, 50)).await;
    let lines = |answer: &Answer| answer.text.lines().count();
    let cut =
        server.post("/v1/sql", &json!({"sql": "SELECT * FROM interactions", "format": "ndjson"})).await.expect(200);
    assert_eq!(lines(&cut), 10, "an answer has its limit");
    for (path, media, expected) in [
        ("/v1/tables/interactions.csv", "text/csv; charset=utf-8", 51),
        ("/v1/tables/interactions.ndjson", "application/x-ndjson", 50),
        ("/v1/sql.csv?query=SELECT%20*%20FROM%20interactions", "text/csv; charset=utf-8", 51),
        (
            "/v1/sql.ndjson?query=SELECT%20*%20FROM%20interactions%20WHERE%20tokens_in%20<%20$n&params={\"n\":7}",
            "application/x-ndjson",
            7,
        ),
        ("/v1/sql.ndjson?query=SELECT%201%20AS%20one%20WHERE%20false", "application/x-ndjson", 0),
        ("/v1/tables/knowledge.csv", "text/csv; charset=utf-8", 1),
    ] {
        let answer = server.get(path).await.expect(200);
        assert_eq!((lines(&answer), answer.header("content-type")), (expected, media), "{path}");
        assert_eq!(answer.header("content-length"), answer.text.len().to_string(), "{path}");
    }
    let empty = server.request(Method::GET, "/v1/sql.ndjson?query=SELECT%201%20AS%20one%20WHERE%20false");
    Answer::of(empty.header("range", "bytes=0-0")).await.expect_problem(416, "range_not_satisfiable");
    server.get("/v1/sql.parquet").await.expect_problem(422, "invalid");
    let wrong = server.get("/v1/sql.parquet?query=SELECT%20*%20FROM%20taskz").await;
    assert!(wrong.status == 404 && wrong.json["suggestions"][0] == "tasks", "{}", wrong.text);
    server.get("/v1/sql.parquet?query=DROP%20TABLE%20tasks").await.expect(422);
    let table = server.get("/v1/tables/taskz.parquet").await.expect_problem(404, "unknown_table");
    assert_eq!(table.json["suggestions"][0], "tasks");
    server.get("/v1/tables/tasks.xlsx").await.expect_problem(404, "unknown_table");
}

#[tokio::test]
async fn a_key_reads_its_workspace_only() {
    let server = Server::start();
    let root = json!({"scopes": ["ingest", "read", "act", "admin"], "workspace": "root", "server": true});
    let root = server.post("/v1/keys", &root).await.expect(201).json["key"].as_str().expect("a key").to_owned();
    let mut keys = Vec::new();
    for (workspace, count) in [("alpha", 3), ("beta", 5)] {
        let made = server.request(Method::POST, "/v1/keys").bearer_auth(&root);
        let made =
            Answer::of(made.json(&json!({"scopes": ["ingest", "read"], "workspace": workspace}))).await.expect(201);
        let key = made.json["key"].as_str().expect("a key").to_owned();
        let append = server.request(Method::POST, "/v1/events").bearer_auth(&key).json(&calls(0, count));
        let position = Answer::of(append).await.expect(201).json["position"].as_u64().expect("a position");
        keys.push((key, count, position));
    }
    for (key, count, position) in &keys {
        let path = format!("/v1/tables/events.ndjson?min_position={position}&wait_ms=20000");
        let answer = Answer::of(server.request(Method::GET, &path).bearer_auth(key)).await.expect(200);
        // What its keys did is written there too.
        let own = answer.text.lines().filter(|line| line.contains("interaction.recorded")).count();
        assert_eq!(own, *count, "{}", answer.text);
        let id = key.split('_').nth(1).expect("an id");
        let in_url = server.url.replace("http://", &format!("http://{id}:{key}@"));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = Answer::of(client.get(format!("{in_url}{path}"))).await.expect(200);
        assert!(answer.text.lines().count() >= *count, "credentials in the URL are Basic");
    }
    // The tag of one workspace's file is worth nothing in another.
    let theirs = server.request(Method::HEAD, EVENTS).bearer_auth(&keys[0].0).send().await.expect("an answer");
    let stolen =
        server.request(Method::GET, EVENTS).bearer_auth(&keys[1].0).header("if-match", header(&theirs, "etag"));
    Answer::of(stolen).await.expect_problem(412, "file_changed");
    server.get(EVENTS).await.expect_problem(401, "key_needed");
}

#[tokio::test]
async fn the_disk_is_bounded_and_cleared() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let limits = ["--downloads-bytes-max", "40KiB", "--downloads-files-max", "2"];
    let mut server = Server::start_in(&folder, &limits);
    write(&server, &calls(0, 400)).await;
    let kept = || files(&folder.join("downloads")).len();
    let large = server.get("/v1/tables/events.ndjson").await.expect_problem(413, "download_too_large");
    assert!(large.json["hint"].as_str().is_some_and(|hint| hint.contains("downloads_bytes_max")), "{}", large.text);
    assert_eq!(kept(), 0, "nothing of it stays");
    for n in 0..5 {
        server.get(&format!("/v1/sql.csv?query=SELECT%20{n}%20AS%20n")).await.expect(200);
        assert!(kept() <= 2, "{}", kept());
    }
    assert_eq!(kept(), 2);
    let limits_told = server.get("/v1/limits").await.expect(200).json;
    assert_eq!((&limits_told["downloads_bytes_max"], &limits_told["downloads_files_max"]), (&json!(40960), &json!(2)));
    let metrics = server.get("/metrics").await.expect(200).text;
    assert!(metrics.lines().any(|line| line == "partitura_downloads_files 2"), "{metrics}");
    server.kill();
    drop(server);
    assert_eq!(kept(), 2, "a kill leaves them");
    let server = Server::start_in(&folder, &limits);
    assert_eq!(kept(), 0, "a start removes them");
    server.get("/v1/tables/knowledge.csv").await.expect(200);
}

#[tokio::test]
async fn many_ask_and_one_file_is_written() {
    let server = Server::start();
    write(&server, &calls(0, 2_000)).await;
    // Some ask while it is written, some when it has just been. Each round is a question of its own.
    for round in 1..=15_usize {
        let asked =
            format!("/v1/sql.csv?query=SELECT%20*%20FROM%20interactions%20ORDER%20BY%20time%20LIMIT%20{round}00");
        let ask = |n| {
            let request = server.request(Method::GET, &asked);
            async move {
                tokio::time::sleep(Duration::from_millis(4 * n)).await;
                Answer::of(request).await
            }
        };
        let answers = futures::future::join_all((0..24_u64).map(ask)).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{asked}: {}", answers[0].text);
        let tags: std::collections::BTreeSet<_> =
            answers.iter().map(|answer| answer.header("etag").to_owned()).collect();
        assert_eq!(tags.len(), 1, "{asked}");
        assert!(answers.iter().all(|answer| answer.text == answers[0].text), "{asked}");
        assert_eq!(files(&server.folder.join("downloads")).len(), round, "{asked}");
    }
}

//! Bad input, each with its status, its code and the words that help; never half-written, never a dead server.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

const JSON: &str = "application/json";

/// A body of `POST /v1/events`, the status it gets and a word that its problem must say.
struct Case {
    name: &'static str,
    content: &'static str,
    body: Vec<u8>,
    status: u16,
    says: &'static str,
}

fn case(name: &'static str, body: impl Into<Vec<u8>>, status: u16, says: &'static str) -> Case {
    Case { name, content: JSON, body: body.into(), status, says }
}

fn event_with(data: &str) -> String {
    format!(r#"{{"type":"task.created","source":"t","id":"x","data":{data}}}"#)
}

fn cases() -> Vec<Case> {
    let mut invalid_utf8 = event_with(r#"{"task_id":"1","title":"?"}"#).into_bytes();
    let at = invalid_utf8.iter().position(|byte| *byte == b'?').expect("the mark");
    invalid_utf8[at] = 0xff;
    let keys: Vec<String> = (0..1_000_000).map(|n| format!("\"k{n}\":1")).collect();
    let long_id = format!(r#"{{"type":"note.taken","source":"t","id":"{}","data":{{}}}}"#, "i".repeat(64 << 10));
    let timed = |time: &str| format!(r#"{{"type":"note.taken","source":"t","id":"x","time":{time},"data":{{}}}}"#);
    vec![
        case("malformed", "{not json", 400, "JSON"),
        case("truncated", r#"{"type":"task.created","data":{"task_id""#, 400, "ends"),
        case("nested", "[".repeat(1_000_000), 400, "deep"),
        case("duplicate keys", event_with(r#"{"task_id":"1","task_id":"2"}"#), 400, "task_id"),
        case("NaN", event_with(r#"{"task_id":"1","estimate_minutes":NaN}"#), 400, "JSON"),
        case("1e400", event_with(r#"{"task_id":"1","estimate_minutes":1e400}"#), 422, "estimate_minutes"),
        case("over 2^63", event_with(r#"{"task_id":"1","x":99999999999999999999}"#), 422, "99999999999999999999"),
        case("invalid UTF-8", invalid_utf8, 400, "UTF-8"),
        case("lone surrogate", event_with(r#"{"task_id":"1","title":"\ud800"}"#), 400, "surrogate"),
        case("NUL", event_with(r#"{"task_id":"a\u0000b","title":"T"}"#), 422, "task_id"),
        case("a million keys", event_with(&format!("{{{}}}", keys.join(","))), 413, "limit"),
        case("empty", "", 400, "empty"),
        case("white space", "  \n ", 400, "empty"),
        case("event over the limit", event_with(&format!(r#"{{"x":"{}"}}"#, "y".repeat(1 << 20))), 413, "1048576"),
        case("batch over the limit", vec![b' '; 9 << 20], 413, "8 MiB"),
        case("id of 64 KiB", long_id, 422, "512"),
        case("before 1970", timed(r#""1969-12-31T23:59:59Z""#), 422, "1970"),
        case("after 2262", timed(r#""2263-01-01T00:00:00Z""#), 422, "2262"),
        case("no type", r#"{"source":"t","data":{}}"#, 422, "type"),
        case("wrong type of a field", event_with(r#"{"task_id":"1","title":5}"#), 422, "title"),
        case("unknown envelope field", r#"{"tpye":"note.taken","type":"x","data":{}}"#, 422, "tpye"),
        case("data not an object", r#"{"type":"note.taken","data":[1]}"#, 422, "data"),
        case("no events", "[]", 422, "event"),
        case("a number", "5", 422, "object"),
        Case {
            name: "content type",
            content: "text/html",
            body: b"<p>".to_vec(),
            status: 415,
            says: "application/json",
        },
        Case {
            name: "charset",
            content: "application/json; charset=latin1",
            body: b"{}".to_vec(),
            status: 415,
            says: "UTF-8",
        },
        Case {
            name: "not arrow",
            content: "application/vnd.apache.arrow.stream",
            body: vec![7; 100],
            status: 400,
            says: "",
        },
    ]
}

#[tokio::test]
async fn bodies_of_events() {
    let server = Server::start();
    let mut faults = Vec::new();
    for case in cases() {
        let answer = server.post_bytes("/v1/events", case.content, case.body).await;
        let fine = answer.status == case.status
            && answer.header("content-type") == "application/problem+json"
            && answer.text.to_lowercase().contains(&case.says.to_lowercase());
        if !fine {
            let text: String = answer.text.chars().take(300).collect();
            faults.push(format!("{}: wanted {} {:?}, got {} {text}", case.name, case.status, case.says, answer.status));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(server.get("/readyz").await.expect(200).json["head"], 0, "nothing was half-written");
}

#[tokio::test]
async fn numbers_are_exact() {
    let server = Server::start();
    let body = event_with(
        r#"{"task_id":"1","title":"T","big":9007199254740993,"huge":9223372036854775807,"price":0.3873467499999999,"round":1.10}"#,
    );
    server.post_bytes("/v1/events", JSON, body).await.expect(201);
    let text = server.get("/v1/events").await.expect(200).text;
    for number in ["9007199254740993", "9223372036854775807", "0.3873467499999999", "1.10"] {
        assert!(text.contains(&format!(":{number},")) || text.contains(&format!(":{number}}}")), "{number}: {text}");
    }
}

#[tokio::test]
async fn compressed_bodies() {
    let server = Server::start();
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let send = |coding: &'static str, body: Vec<u8>| {
        let request = server.request(Method::POST, "/v1/events").header("content-type", JSON);
        Answer::of(request.header("content-encoding", coding).body(body))
    };
    let event = event_with(r#"{"task_id":"1","title":"T"}"#);
    send("gzip", gzip(event.as_bytes())).await.expect(201);
    send("gzip", gzip(&vec![b' '; 64 << 20])).await.expect(413);
    let bomb = gzip(&vec![b'0'; 6 << 20]);
    assert!(bomb.len() < (6 << 20) / 250, "it is one");
    send("gzip", bomb).await.expect_problem(413, "inflation");
    send("gzip", b"not gzip".to_vec()).await.expect_problem(400, "broken_body");
    let other = event.replace("\"x\"", "\"z\"");
    let zstd = zstd::encode_all(other.as_bytes(), 3).expect("memory");
    send("zstd", zstd.clone()).await.expect(201);
    send("zstd", zstd[..zstd.len() - 4].to_vec()).await.expect_problem(400, "broken_body");
    send("zstd", zstd::encode_all(&vec![b'0'; 64 << 20][..], 3).expect("memory")).await.expect(413);
    send("br", event.into_bytes()).await.expect_problem(415, "unsupported_encoding");
}

#[tokio::test]
async fn questions_in_sql() {
    let server = Server::start();
    let wide = format!("SELECT {}", vec!["1"; 20_000].join("+"));
    let cases = [
        ("SELEC 1".to_owned(), 400),
        ("SELECT * FROM tasks WHERE".to_owned(), 400),
        (String::new(), 400),
        ("SELECT * FROM taskz".to_owned(), 404),
        ("SELECT titel FROM tasks".to_owned(), 404),
        ("CREATE TABLE x (a INT)".to_owned(), 422),
        ("DROP TABLE tasks".to_owned(), 422),
        ("INSERT INTO tasks VALUES (1)".to_owned(), 422),
        ("DELETE FROM tasks".to_owned(), 422),
        ("COPY tasks TO 'x.csv'".to_owned(), 422),
        ("SET x = 1".to_owned(), 422),
        ("SELECT 1; SELECT 2".to_owned(), 422),
        (wide, 413),
        (format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)), 413),
    ];
    let mut faults = Vec::new();
    for (sql, status) in cases {
        let answer = server.post("/v1/sql", &json!({"sql": sql})).await;
        let client = answer.status / 100 == 4 && answer.header("content-type") == "application/problem+json";
        let shown: String = sql.chars().take(60).collect();
        if !client || (answer.status != status && !(matches!(answer.status, 400 | 403 | 422) && status == 422)) {
            faults.push(format!("{shown}: wanted {status}, got {} {:.300}", answer.status, answer.text));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let near = server.post("/v1/sql", &json!({"sql": "SELECT * FROM taskz"})).await;
    assert_eq!(near.json["suggestions"][0], "tasks", "{}", near.text);
    let fields = server.post("/v1/sql", &json!({"sqll": "SELECT 1"})).await.expect_problem(422, "unknown_field");
    assert_eq!(fields.json["suggestions"][0], "sql", "{}", fields.text);
    server.post_bytes("/v1/sql", "application/json", "{\"sql\":").await.expect_problem(400, "invalid_json");
    server.post_bytes("/v1/sql", "application/json", "").await.expect_problem(400, "empty_body");
    server.post_bytes("/v1/sql", "image/png", "x").await.expect_problem(415, "unsupported_media_type");
    server.post("/v1/sql", &json!({"sql": "SELECT 1", "limit": 0})).await.expect(422);
    server.post("/v1/sql", &json!({"sql": "SELECT 1", "timeout_ms": 99_999_999})).await.expect(422);
    server.post("/v1/sql", &json!({"sql": "SELECT 1", "format": "jsn"})).await.expect(406);
    server.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn questions_in_words() {
    let server = Server::start();
    let note = json!({"type": "knowledge.noted", "data": {"knowledge_id": "k", "text": "staging is reset on Monday"}});
    let written = server.post("/v1/events", &note).await.expect(201);
    let position = written.json["position"].clone();
    let cases = [
        (json!({"query": ""}), 422, "query"),
        (json!({"query": "x".repeat((64 << 10) + 1)}), 413, "65536"),
        (json!({"query": "x", "filter": "kind ="}), 400, ""),
        (json!({"query": "x", "filter": "kind = 'a'; DROP TABLE tasks"}), 400, ""),
        (json!({"query": "x", "filter": "kynd = 'a'"}), 404, "kind"),
        (json!({"query": "x", "mode": "magic"}), 422, "hybrid"),
        (json!({"queri": "x"}), 422, "query"),
        (json!({"query": "x", "limit": 0}), 422, "limit"),
        (json!({"query": "x", "facets": ["colour"]}), 422, "kind"),
        (json!({"query": "x", "cursor": "nonsense"}), 422, "cursor"),
    ];
    let mut faults = Vec::new();
    for (body, status, says) in cases {
        let answer = server.post("/v1/search", &body).await;
        let refused = matches!(answer.status, 400..=499) && (answer.status == status || status < 413);
        if !refused || !answer.text.contains(says) || answer.header("content-type") != "application/problem+json" {
            let body: String = body.to_string().chars().take(80).collect();
            faults.push(format!("{body}: wanted {status} {says:?}, got {} {:.300}", answer.status, answer.text));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for query in ["\"reset", "reset AND (", "reset~~~ +-^ :", "x".repeat(5_000).as_str(), "Monday"] {
        let body = json!({"query": query, "min_position": position, "wait_ms": 20_000});
        server.post("/v1/search", &body).await.expect(200);
    }
}

#[tokio::test]
async fn queries_over_their_limits() {
    let server = Server::start();
    let events: Vec<Value> =
        (0..2_000).map(|n| json!({"type": "note.taken", "source": "t", "id": n.to_string(), "data": {}})).collect();
    server.post("/v1/events", &json!(events)).await.expect(201);
    let cross =
        "SELECT count(*) AS n FROM events a, events b, events c, events d WHERE a.id || b.id || c.id || d.id = 'x'";
    let slow = json!({"sql": cross, "timeout_ms": 300, "min_position": 2_000, "wait_ms": 20_000});
    server.post("/v1/sql", &slow).await.expect_problem(504, "sql_timeout");
    let cut = json!({"sql": "SELECT id FROM events", "limit": 10, "format": "typed", "timeout_ms": 300_000});
    let cut = server.post("/v1/sql", &cut).await.expect(200);
    assert_eq!((&cut.json["row_count"], &cut.json["truncated"]), (&json!(10), &json!(true)), "{}", cut.text);
    server.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn paths_parameters_and_methods() {
    let server = Server::start();
    let nowhere = server.get("/v1/event").await.expect_problem(404, "unknown_route");
    assert!(nowhere.json["suggestions"].to_string().contains("/v1/events"), "{}", nowhere.text);
    let request = server.request(Method::PUT, "/v1/events");
    Answer::of(request).await.expect_problem(405, "method_not_allowed");
    let wrong = server.get("/v1/events?limt=5").await.expect_problem(422, "unknown_parameter");
    assert_eq!(wrong.json["suggestions"][0], "limit");
    for path in [
        "/v1/events?limit=0",
        "/v1/events?limit=5000",
        "/v1/events?limit=5&limit=6",
        "/v1/events?cursor=nonsense",
        "/v1/events?after_position=-1",
        "/v1/events?as_of=yesterday",
        "/v1/events?wait_ms=999999999",
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (422, "application/problem+json"), "{path}");
    }
    server.get("/v1/tables/taskz").await.expect_problem(404, "unknown_table");
    server.get("/v1/schemas/task.create").await.expect_problem(404, "unknown_kind");
    server.get("/v1/tables/%ff").await.expect(400);
    assert_eq!(server.get("/v1/tables/%ff").await.header("content-type"), "application/problem+json");
}

//! Webhooks, to a receiver that checks every signature with the library of Standard Webhooks.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver as Lines, channel};

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;
use crate::world::{PATIENCE, append, key, python, task, text, until, until_metric};

/// A secret that both sides have.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Quick failures, so that a story takes no minutes.
const QUICK: &[&str] = &[
    "--webhooks-allow-private",
    "true",
    "--webhook-backoff",
    "20ms",
    "--webhook-backoff-max",
    "100ms",
    "--webhook-timeout",
    "1s",
];

/// A receiver in a process of its own.
struct Receiver {
    child: Child,
    input: ChildStdin,
    lines: Lines<Value>,
    url: String,
}

impl Receiver {
    fn start(secret: &str) -> Self {
        let mut child =
            python("receiver.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the receiver starts");
        let mut input = child.stdin.take().expect("stdin is piped");
        writeln!(input, "{secret}").expect("it reads");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, lines) = channel::<Value>();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).expect("JSON")).is_err() {
                    return;
                }
            }
        });
        let port = lines.recv_timeout(PATIENCE).expect("it listens")["port"].clone();
        Self { child, input, lines, url: format!("http://127.0.0.1:{port}/hook?token=abc") }
    }

    /// Says how the next requests are answered.
    fn answer_with(&mut self, ways: &[&str]) {
        ways.iter().for_each(|way| writeln!(self.input, "{way}").expect("it reads"));
    }

    /// Returns the next request; its signature must be right.
    fn next(&self) -> Value {
        let request = self.lines.recv_timeout(PATIENCE).expect("a request comes");
        assert_eq!(request["verified"], true, "{request}");
        request
    }

    /// Returns whether nothing more has come.
    fn is_quiet(&self) -> bool {
        self.lines.try_recv().is_err()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn make(server: &Server, body: Value) -> Value {
    server.post("/v1/webhooks", &body).await.expect(201).json
}

async fn show(server: &Server, webhook: &Value) -> Value {
    let id = webhook["id"].as_str().expect("an id");
    server.get(&format!("/v1/webhooks/{id}")).await.expect(200).json
}

async fn change(server: &Server, webhook: &Value, body: Value) -> Value {
    let id = webhook["id"].as_str().expect("an id");
    Answer::of(server.request(Method::PATCH, &format!("/v1/webhooks/{id}")).json(&body)).await.expect(200).json
}

async fn deliveries(server: &Server, webhook: &Value) -> Vec<Value> {
    let id = webhook["id"].as_str().expect("an id");
    let list = server.get(&format!("/v1/webhooks/{id}/deliveries")).await.expect(200).json;
    list["data"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_signed_and_in_order() {
    let server = Server::start_with(QUICK);
    append(&server, &[task("before")]).await;
    let receiver = Receiver::start(SECRET);
    let filter = json!({"types": ["task.*"]});
    let hook = make(&server, json!({"url": receiver.url, "filter": filter, "secret": SECRET})).await;
    assert!(hook.get("secret").is_none(), "who brought it has it: {hook}");
    append(&server, &[json!({"type": "note.taken", "source": "t", "id": "n", "data": {}})]).await;
    append(&server, &(1..=20).map(|n| task(&n.to_string())).collect::<Vec<_>>()).await;
    let listed = server.get("/v1/events").await.expect(200).json["data"].clone();
    let number = hook["id"].as_str().and_then(|id| id.strip_prefix("wh_")).expect("an id");
    for position in 3..=22_usize {
        let request = receiver.next();
        assert_eq!(request["event"], listed[position - 1], "as lists show it");
        assert_eq!(request["id"], format!("msg_{number}_{position}"));
        assert_eq!(
            (&request["path"], &request["content_type"]),
            (&json!("/hook?token=abc"), &json!("application/json"))
        );
    }
    until("it is written down", async || show(&server, &hook).await["checkpoint"] == 22).await;
    assert!(receiver.is_quiet(), "each came once");
    let newest = &deliveries(&server, &hook).await[0];
    assert_eq!((&newest["delivered"], &newest["status"], &newest["position"]), (&json!(true), &json!(200), &json!(22)));
    let row = server.rows("SELECT host, enabled, lag_events FROM system.webhooks", 0).await;
    assert_eq!(row, json!([{"host": "127.0.0.1", "enabled": true, "lag_events": 0}]));
    until_metric(&server, "partitura_webhook_attempts_total{result=\"delivered\"} 20").await;
    until_metric(&server, "partitura_webhook_attempts_total{result=\"failed\"} 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_until_it_is_taken() {
    let server = Server::start_with(QUICK);
    let mut receiver = Receiver::start(SECRET);
    let ways = ["500", "close", "hang", "redirect", "huge", "429", "404"];
    receiver.answer_with(&ways);
    let hook = make(&server, json!({"url": receiver.url, "secret": SECRET})).await;
    append(&server, &[task("1"), task("2")]).await;
    for way in ways.into_iter().chain(["200"]) {
        let request = receiver.next();
        assert_eq!((&request["position"], &request["way"]), (&json!(1), &json!(way)), "the first one, again");
        assert_eq!(request["path"], "/hook?token=abc", "no redirect is followed");
    }
    assert_eq!(receiver.next()["position"], 2, "and only then the second");
    until("it is noted down", async || deliveries(&server, &hook).await.len() == 9).await;
    let log = deliveries(&server, &hook).await;
    let told: Vec<_> = log.iter().rev().map(|one| (&one["attempt"], &one["delivered"], &one["status"])).collect();
    let expected = json!([
        [1, false, 500],
        [2, false, null],
        [3, false, null],
        [4, false, 302],
        [5, false, 500],
        [6, false, 429],
        [7, false, 404],
        [8, true, 200],
        [1, true, 200],
    ]);
    assert_eq!(json!(told), expected);
    let errors: Vec<_> = log.iter().rev().map(|one| one["error"].as_str().unwrap_or_default()).collect();
    assert!(errors[2].contains("in time") && errors[3].contains("redirects are not followed"), "{errors:?}");
    assert!(!json!(log).to_string().contains("sk-ant"), "what a receiver lets slip is not shown: {log:?}");
    assert!(!errors.iter().any(|error| error.contains("token=abc")), "nor what stands in the URL: {errors:?}");
    assert!(log[8]["next_at"].is_string() && log[0]["next_at"].is_null(), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_taken_disables_it_and_nothing_is_left_out() {
    let server = Server::start_with(QUICK);
    let mut receiver = Receiver::start(SECRET);
    receiver.answer_with(&["500", "503", "500"]);
    let hook = make(&server, json!({"url": receiver.url, "secret": SECRET, "max_attempts": 3})).await;
    append(&server, &[task("1"), task("2")]).await;
    (0..3).for_each(|_| assert_eq!(receiver.next()["position"], 1));
    until("it is disabled", async || show(&server, &hook).await["enabled"] == false).await;
    let shown = show(&server, &hook).await;
    let reason = shown["disabled"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("attempt 3") && reason.contains("position") || reason.contains("at 1"), "{reason}");
    assert!(reason.contains("500"), "{reason}");
    until_metric(&server, "partitura_webhooks{state=\"disabled\"} 1").await;
    assert!(receiver.is_quiet());
    // Receivers that are gone are not asked again at all.
    receiver.answer_with(&["410"]);
    assert_eq!(change(&server, &hook, json!({"enabled": true, "description": "again"})).await["enabled"], true);
    assert_eq!(receiver.next()["way"], "410");
    until("it is disabled", async || show(&server, &hook).await["enabled"] == false).await;
    change(&server, &hook, json!({"enabled": true})).await;
    assert_eq!([receiver.next(), receiver.next()].map(|one| one["position"].clone()), [json!(1), json!(2)]);
    // Switched off by hand, it stands still and loses nothing.
    change(&server, &hook, json!({"enabled": false})).await;
    append(&server, &[task("3")]).await;
    let off = show(&server, &hook).await;
    assert_eq!((&off["enabled"], &off["lag_events"], &off["description"]), (&json!(false), &json!(1), &json!("again")));
    assert!(receiver.is_quiet());
    change(&server, &hook, json!({"enabled": true})).await;
    assert_eq!(receiver.next()["position"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_taken_can_be_parked_instead() {
    let server = Server::start_with(QUICK);
    let mut receiver = Receiver::start(SECRET);
    receiver.answer_with(&["400", "400"]);
    let wanted = json!({"url": receiver.url, "secret": SECRET, "max_attempts": 2, "on_exhausted": "park"});
    let hook = make(&server, wanted).await;
    append(&server, &[task("1"), task("2")]).await;
    assert_eq!(
        [receiver.next(), receiver.next(), receiver.next()].map(|one| one["position"].clone()),
        [1, 1, 2].map(|n| json!(n))
    );
    until("it went on", async || show(&server, &hook).await["checkpoint"] == 2).await;
    assert_eq!(show(&server, &hook).await["parked"], 1);
    let id = hook["id"].as_str().expect("an id");
    let again = server.post(&format!("/v1/webhooks/{id}/replay"), &json!({})).await.expect(200).json;
    assert_eq!(again, json!({"replayed": 1}));
    assert_eq!(receiver.next()["position"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_event() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let mut receiver = Receiver::start(SECRET);
    // The request that hangs must still hang when the server dies.
    let mut server = Server::start_in(&folder, &[&QUICK[..6], &["--webhook-timeout", "60s"]].concat());
    let hook = make(&server, json!({"url": receiver.url, "secret": SECRET})).await;
    append(&server, &[task("1"), task("2")]).await;
    assert_eq!([receiver.next(), receiver.next()].map(|one| one["position"].clone()), [json!(1), json!(2)]);
    until("it is written down", async || show(&server, &hook).await["checkpoint"] == 2).await;
    receiver.answer_with(&["hang"]);
    append(&server, &[task("3"), task("4")]).await;
    assert_eq!(receiver.next()["position"], 3, "under way when the server dies");
    server.kill();
    let server = Server::start_in(&folder, QUICK);
    assert_eq!([receiver.next(), receiver.next()].map(|one| one["position"].clone()), [json!(3), json!(4)]);
    let log = deliveries(&server, &hook).await;
    assert!(log.iter().any(|one| one["position"] == 1), "attempts of before are shown: {log:?}");
    let mode = std::fs::metadata(folder.join("webhooks.json")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the secrets are the owner's only");
    let copy = temp.path().join("copy");
    server.post("/v1/backup", &json!({"to": copy})).await.expect(200);
    let mode = std::fs::metadata(copy.join("webhooks.json")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "in a backup too");
    let restored = Server::start_in(&copy, &[]);
    assert_eq!(show(&restored, &hook).await["checkpoint"], 4, "it goes on from there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_made_shown_once_and_tested() {
    let server = Server::start_with(QUICK);
    let hook = make(&server, json!({"url": "http://127.0.0.1:9/nobody"})).await;
    let secret = hook["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() > 40, "{secret}");
    let receiver = Receiver::start(&secret);
    let id = hook["id"].as_str().expect("an id");
    let refused = server.post(&format!("/v1/webhooks/{id}/test"), &json!({})).await.expect(200).json;
    assert_eq!((&refused["delivered"], &refused["status"]), (&json!(false), &Value::Null), "{refused}");
    assert!(refused["error"].as_str().is_some_and(|error| error.to_lowercase().contains("refused")), "{refused}");
    change(&server, &hook, json!({"url": receiver.url})).await;
    let taken = server.post(&format!("/v1/webhooks/{id}/test"), &json!({})).await.expect(200).json;
    assert_eq!((&taken["delivered"], &taken["status"]), (&json!(true), &json!(200)), "{taken}");
    let request = receiver.next();
    assert_eq!((&request["type"], &request["id"]), (&json!("webhook.test"), &taken["message_id"]));
    append(&server, &[task("1")]).await;
    assert_eq!(receiver.next()["position"], 1);
    for path in ["/v1/webhooks".to_owned(), format!("/v1/webhooks/{id}"), format!("/v1/webhooks/{id}/deliveries")] {
        let answer = server.get(&path).await.expect(200);
        assert!(!answer.text.contains("whsec_"), "{path}: {}", answer.text);
    }
    let everything = server.rows("SELECT * FROM system.webhooks", 0).await.to_string();
    assert!(!everything.contains("whsec_") && !everything.contains("token=abc"), "{everything}");
    let gone = Answer::of(server.request(Method::DELETE, &format!("/v1/webhooks/{id}"))).await.expect(200);
    assert!(!gone.text.contains("whsec_"));
    server.get(&format!("/v1/webhooks/{id}")).await.expect_problem(404, "unknown_webhook");
    append(&server, &[task("2")]).await;
    let file = std::fs::read_to_string(server.folder.join("webhooks.json")).expect("the file");
    assert!(!file.contains(&secret), "nothing is left of it");
    let (_, log) = server.terminate();
    assert!(!log.contains("whsec_") && !log.contains(&secret), "and it was never logged");
    assert!(receiver.is_quiet());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_changed_without_a_message_that_either_side_cannot_check() {
    let server = Server::start_with(QUICK);
    let with_old = Receiver::start(SECRET);
    let hook = make(&server, json!({"url": with_old.url, "secret": SECRET})).await;
    let path = format!("/v1/webhooks/{}/secret", hook["id"].as_str().expect("an id"));
    for (wrong, field) in [
        (json!({"secret": "whsec_c2hvcnQ="}), "secret"),
        (json!({"keep_previous_ms": 2_592_000_001_u64}), "keep_previous_ms"),
    ] {
        let refused = server.post(&path, &wrong).await.expect(422).json;
        assert_eq!(refused["issues"][0]["path"], field, "{refused}");
    }
    let changed = server.post(&path, &json!({})).await.expect(200).json;
    let new = changed["secret"].as_str().expect("it is shown once").to_owned();
    assert!(new != SECRET && changed["previous_secret_until"].is_string(), "{changed}");
    append(&server, &[task("1")]).await;
    assert_eq!(with_old.next()["position"], 1, "a receiver that knows the old one checks it");
    let with_new = Receiver::start(&new);
    change(&server, &hook, json!({"url": with_new.url})).await;
    append(&server, &[task("2")]).await;
    assert_eq!(with_new.next()["position"], 2, "and so does one that knows the new one");
    let file = std::fs::read_to_string(server.folder.join("webhooks.json")).expect("the file");
    assert!(file.contains(SECRET) && file.contains(&new), "both sign");

    let own = json!({"secret": "whsec_b3duIG93biBvd24gb3duIG93biBvd24g", "keep_previous_ms": 0});
    let changed = server.post(&path, &own).await.expect(200).json;
    assert_eq!((changed.get("secret"), &changed["previous_secret_until"]), (None, &Value::Null), "{changed}");
    let file = std::fs::read_to_string(server.folder.join("webhooks.json")).expect("the file");
    assert!(!file.contains(SECRET) && !file.contains(&new), "at once, when the old one is known to others");
    append(&server, &[task("3")]).await;
    let request = with_new.lines.recv_timeout(PATIENCE).expect("a request comes");
    assert!(request["verified"] != true && request["position"] == 3, "{request}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_ends_while_it_sends_leaves_nothing() {
    let server = Server::start_with(QUICK);
    let mut receiver = Receiver::start(SECRET);
    let hook = make(&server, json!({"url": receiver.url, "secret": SECRET})).await;
    let id = hook["id"].as_str().expect("an id");
    receiver.answer_with(&["hang"]);
    append(&server, &[task("1")]).await;
    receiver.next();
    Answer::of(server.request(Method::DELETE, &format!("/v1/webhooks/{id}"))).await.expect(200);
    // Longer than the request that hangs.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let folder = server.folder.join("webhooks");
    let left = std::fs::read_dir(&folder).expect("the folder").flatten();
    let left: Vec<_> = left.flat_map(|own| std::fs::read_dir(own.path()).expect("a folder").flatten()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_refused_unless_allowed() {
    let server = Server::start();
    let refused = [
        "http://127.0.0.1:9/",
        "http://localhost/x",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://[64:ff9b::7f00:1]/",
        "http://192.168.1.1/",
    ];
    for url in refused {
        let problem = server.post("/v1/webhooks", &json!({"url": url})).await.expect_problem(422, "private_address");
        let hint = problem.json["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("webhooks_allow_private"), "{url}: {}", problem.text);
    }
    let cases = [
        (json!({"url": "ftp://example.com/"}), "url"),
        (json!({"url": "example.com"}), "url"),
        (json!({"url": "https://user:pass@example.com/"}), "url"),
        (json!({"url": format!("https://example.com/{}", "x".repeat(2_100))}), "url"),
        (json!({"url": "https://192.0.43.8/", "secret": "hunter2"}), "secret"),
        (json!({"url": "https://192.0.43.8/", "max_attempts": 0}), "max_attempts"),
        (json!({"url": "https://192.0.43.8/", "filter": {"types": ["a*b"]}}), "type"),
        (json!({"url": "https://192.0.43.8/", "from": 7}), "after_position"),
        (json!({"url": "https://192.0.43.8/", "on_exhausted": "forget"}), ""),
        (json!({"url": "https://192.0.43.8/", "description": "x".repeat(600)}), "description"),
        (json!({}), "url"),
    ];
    for (body, field) in cases {
        let problem = server.post("/v1/webhooks", &body).await.expect(422);
        let is_named = field.is_empty() || problem.json["issues"][0]["path"] == field;
        assert!(is_named && !problem.text.contains("hunter2"), "{body}: {}", problem.text);
    }
    assert_eq!(server.get("/v1/webhooks").await.expect(200).json["data"], json!([]), "nothing was half-made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_allowed_once_is_checked_each_time() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let receiver = Receiver::start(SECRET);
    let by_name = receiver.url.replace("127.0.0.1", "localhost");
    let server = Server::start_in(&folder, QUICK);
    let hooks = [
        make(&server, json!({"url": receiver.url, "secret": SECRET})).await,
        make(&server, json!({"url": by_name, "secret": SECRET})).await,
    ];
    append(&server, &[task("1")]).await;
    assert_eq!([receiver.next(), receiver.next()].map(|one| one["position"].clone()), [json!(1), json!(1)]);
    until("both are written down", async || {
        show(&server, &hooks[0]).await["checkpoint"] == 1 && show(&server, &hooks[1]).await["checkpoint"] == 1
    })
    .await;
    server.terminate();
    // The setting is gone: neither the address nor the name that leads to it is asked any more.
    let server = Server::start_in(&folder, &["--webhook-backoff", "20ms"]);
    append(&server, &[task("2")]).await;
    for hook in &hooks {
        until("it is refused", async || {
            let log = deliveries(&server, hook).await;
            log.iter().any(|one| one["position"] == 2 && one["error"].to_string().contains("not the public internet"))
                || log.iter().any(|one| one["position"] == 2 && one["error"].to_string().contains("not of the public"))
        })
        .await;
    }
    assert!(receiver.is_quiet(), "no connection was made");
}

#[tokio::test]
async fn they_are_of_one_workspace_and_for_administrators() {
    let server = Server::start_with(QUICK);
    let root = key(&server, None, "root", &["admin"], true).await;
    let own = key(&server, Some(text(&root)), "alpha", &["admin"], false).await;
    let reader = key(&server, Some(text(&root)), "alpha", &["read", "act", "ingest"], false).await;
    let other = key(&server, Some(text(&root)), "beta", &["admin"], false).await;
    let ask = async |key: &Value, method: Method, path: &str, body: Value| {
        Answer::of(server.request(method, path).bearer_auth(text(key)).json(&body)).await
    };
    let wanted = json!({"url": "http://127.0.0.1:9/"});
    ask(&reader, Method::POST, "/v1/webhooks", wanted.clone()).await.expect_problem(403, "forbidden");
    let made = ask(&own, Method::POST, "/v1/webhooks", wanted).await.expect(201).json;
    let path = format!("/v1/webhooks/{}", made["id"].as_str().expect("an id"));
    for method in [Method::GET, Method::DELETE, Method::PATCH] {
        let answer = ask(&other, method, &path, json!({})).await.expect_problem(404, "unknown_webhook");
        assert!(answer.json.get("suggestions").is_none(), "nor are its ids suggested: {}", answer.text);
    }
    assert_eq!(ask(&other, Method::GET, "/v1/webhooks", Value::Null).await.expect(200).json["data"], json!([]));
    let event = server.request(Method::POST, "/v1/events").bearer_auth(text(&reader)).json(&task("1"));
    Answer::of(event).await.expect(201);
    ask(&own, Method::DELETE, &path, Value::Null).await.expect(200);
}

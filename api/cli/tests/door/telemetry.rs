//! The server's own log: lines for people or machines, each with the request that it belongs to.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Starts a server, appends and asks, stops it, and returns what it logged.
async fn log_of(format: &str) -> String {
    let temp = tempfile::TempDir::new().expect("a folder");
    let server = Server::start_in(temp.path(), &["--log", "debug", "--log-format", format]);
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    for (path, body) in [
        ("/v1/events", json!({"type": "note.taken", "source": "s", "id": "1", "data": {}})),
        ("/v1/sql", json!({"sql": "SELECT count(*) AS n FROM events", "min_position": 1, "wait_ms": 30_000})),
    ] {
        let request = server.request(Method::POST, path).header("traceparent", &parent).json(&body);
        assert!(Answer::of(request).await.status < 300);
    }
    server.terminate().1
}

#[tokio::test]
async fn machines_get_an_object_a_line() {
    let log = log_of("json").await;
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    for line in &lines {
        for name in ["timestamp", "level", "target"] {
            assert!(line[name].is_string(), "{line}");
        }
    }
    let told =
        |message: &str| -> Vec<&Value> { lines.iter().filter(|line| line["fields"]["message"] == message).collect() };
    assert_eq!(told("serving").len(), 1, "{log}");
    assert_eq!(told("stopped").len(), 1, "{log}");
    let spans = |line: &Value| -> Vec<(String, String)> {
        let text = |span: &Value, name: &str| span[name].as_str().unwrap_or_default().to_owned();
        let spans = line["spans"].as_array().into_iter().flatten();
        spans.map(|span| (text(span, "name"), text(span, "trace_id"))).collect()
    };
    for (message, inner) in [("appended", "append"), ("query planned", "query")] {
        let lines = told(message);
        let [line] = lines.as_slice() else { panic!("{message}: {log}") };
        let spans = spans(line);
        assert!(spans.contains(&("request".into(), TRACE.into())), "{line}");
        assert!(spans.iter().any(|(name, _)| name == inner), "{line}");
    }
    for (message, span) in [("committed", "commit"), ("projected", "project")] {
        let lines = told(message);
        let line = lines.first().unwrap_or_else(|| panic!("{message}: {log}"));
        assert!(spans(line).iter().any(|(name, _)| name == span), "{line}");
    }
    let answered = told("answered");
    assert!(
        answered.iter().any(|line| line["fields"]["status"] == 201 && line["span"]["route"] == "/v1/events"),
        "{log}"
    );
}

#[tokio::test]
async fn people_get_a_readable_line() {
    let log = log_of("text").await;
    let appended = log.lines().find(|line| line.contains("appended")).unwrap_or_else(|| panic!("{log}"));
    assert!(appended.contains("DEBUG") && appended.contains(TRACE) && appended.contains("new=1"), "{appended}");
    assert!(!log.contains('\u{1b}'), "no colours where no terminal is");
}

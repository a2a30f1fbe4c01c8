//! A key of one workspace never sees another's rows, counts, statistics, suggestions or error texts.
//!
//! Two proofs. What a workspace is told before another one writes, it is told after it, to the last digit of a
//! score. And what it asks by the names of the other is answered as if nobody had them.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::access::root;
use crate::answer::Answer;
use crate::key::key;
use crate::server::{Server, run};

/// Stands in every text that the other workspace writes.
const THEIRS: &str = "zanzibarquux";
/// As far from every other name, and written by nobody.
const NOBODYS: &str = "zanzibarquuz";

const ALL: &[&str] = &["ingest", "read", "act", "admin"];

/// One of nearly everything, in which `name` is every id and stands in every text beside common words.
fn history(name: &str) -> Vec<Value> {
    let mark = |text: &str| format!("{name} {text}");
    let events = [
        ("agent.registered", json!({"agent_id": mark("agent"), "name": name})),
        ("agent.aliased", json!({"agent_id": mark("agent"), "alias": mark("alias")})),
        (
            "task.created",
            json!({"task_id": name, "title": mark("reset the staging database"), "type": name, "team": name}),
        ),
        ("task.assigned", json!({"task_id": name, "agent_id": mark("agent")})),
        ("attempt.started", json!({"attempt_id": name, "task_id": name, "agent_id": mark("agent"), "number": 1})),
        (
            "interaction.recorded",
            json!({
                "interaction_id": name, "kind": "llm", "agent_id": mark("agent"), "task_id": name, "attempt_id": name,
                "conversation_id": name, "model": name, "tokens_in": 5, "tokens_out": 5, "tool_name": name,
                "input": mark("how is the staging database reset?"),
            }),
        ),
        ("attempt.ended", json!({"attempt_id": name, "result": "succeeded"})),
        ("outcome.recorded", json!({"attempt_id": name, "name": name, "success": true, "evaluator": "code"})),
        ("artifact.recorded", json!({"artifact_id": name, "attempt_id": name, "kind": "commit"})),
        (
            "knowledge.noted",
            json!({"knowledge_id": name, "text": mark("staging database resets on Monday"), "tags": [name]}),
        ),
        ("knowledge.noted", json!({"knowledge_id": name, "text": mark("staging database resets on Tuesday")})),
        ("message.sent", json!({"message_id": name, "conversation_id": name, "from": name, "text": mark("staging?")})),
        ("budget.set", json!({"budget_id": name, "amount": "5", "currency": "USD", "period": "month", "scope": {}})),
        (
            "price.set",
            json!({"model": name, "currency": "USD", "meters": [{"unit": "tokens_in", "per": 1000, "amount": "1"}],
            "valid_from": "2020-01-01T00:00:00Z"}),
        ),
        ("task.blocked", json!({"task_id": mark("orphan"), "reason": name})),
        (name, json!({"anything": name})),
    ];
    let event = |(n, (kind, data)): (usize, (&str, Value))| json!({"type": kind, "source": name, "id": n.to_string(), "time": "2026-01-05T10:00:00Z", "data": data});
    events.into_iter().enumerate().map(event).collect()
}

/// A server with two workspaces, and what is known of them.
struct World {
    server: Server,
    theirs: String,
    ours: String,
}

impl World {
    async fn start() -> Self {
        let server = Server::start();
        let root = root(&server).await;
        let theirs = key(&server, Some(&root), "theirs", ALL, json!({})).await;
        let ours = key(&server, Some(&root), "ours", ALL, json!({})).await;
        let world = Self { server, theirs, ours };
        let own = json!({"name": THEIRS});
        world.ask(&world.theirs, Method::POST, "/v1/subscriptions", Some(own)).await.expect(201);
        world
    }

    async fn ask(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.server.request(method, path).bearer_auth(key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request).await
    }

    async fn write(&self, key: &str, events: &[Value]) -> u64 {
        let written = self.ask(key, Method::POST, "/v1/events", Some(json!(events))).await.expect(201);
        written.json["position"].as_u64().expect("a position")
    }

    async fn sql(&self, key: &str, sql: &str, position: u64) -> Answer {
        let body = json!({"sql": sql, "min_position": position, "wait_ms": 20_000});
        self.ask(key, Method::POST, "/v1/sql", Some(body)).await
    }

    async fn tables(&self) -> Vec<String> {
        let list = self.ask(&self.ours, Method::GET, "/v1/tables", None).await.expect(200).json;
        list["data"]
            .as_array()
            .expect("tables")
            .iter()
            .map(|table| table["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// Waits until search knows a position.
    async fn searchable(&self, position: u64) {
        let body = json!({"query": "staging", "mode": "text", "min_position": position, "wait_ms": 30_000});
        self.ask(&self.ours, Method::POST, "/v1/search", Some(body)).await.expect(200);
    }

    /// Everything that `ours` can ask about all it can name, and the answers.
    async fn everything(&self, own: u64, position: u64) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        self.searchable(position).await;
        for table in self.tables().await {
            for sql in [
                format!("SELECT * FROM {table}"),
                format!("SELECT count(*) AS n FROM {table}"),
                format!("EXPLAIN SELECT count(*) FROM {table}"),
            ] {
                told.insert(sql.clone(), rows(&self.sql(&self.ours, &sql, position).await.expect(200)));
            }
            let past = format!("SELECT * FROM as_of({table}, {own})");
            told.insert(past.clone(), rows(&self.sql(&self.ours, &past, position).await));
            for ending in ["csv", "ndjson"] {
                let path = format!("/v1/tables/{table}.{ending}");
                told.insert(path.clone(), rows(&self.ask(&self.ours, Method::GET, &path, None).await.expect(200)));
            }
        }
        for sql in [
            "SELECT max(position) AS p, min(id) AS i, count(DISTINCT type) AS k FROM events",
            "SELECT table_name FROM information_schema.tables",
            "SELECT table_name, column_name FROM information_schema.columns",
            "SELECT * FROM information_schema.views",
            "SELECT * FROM information_schema.schemata",
            "SELECT * FROM search('staging database resets', k => 20)",
            "SELECT * FROM text_search('staging database resets')",
            "SELECT * FROM vector_search('staging database resets')",
            "SELECT * FROM tasx",
            "SELECT titel FROM tasks",
            "SELECT * FROM no_such_function('x')",
        ] {
            told.insert(sql.to_owned(), rows(&self.sql(&self.ours, sql, position).await));
        }
        let facets = json!(["kind", "agent_id"]);
        for (path, body) in [
            ("/v1/search", json!({"query": "staging database", "facets": facets, "explain": true, "limit": 50})),
            ("/v1/search", json!({"query": "staging", "filter": "agent_idd = 'x'"})),
            ("/v1/context", json!({"query": "staging database"})),
        ] {
            told.insert(format!("{path} {body}"), rows(&self.ask(&self.ours, Method::POST, path, Some(body)).await));
        }
        for path in ["/v1/suggest?q=s", "/v1/suggest?q=data", "/v1/events", "/v1/events?type=task.created", "/v1/keys"]
        {
            told.insert(path.to_owned(), rows(&self.ask(&self.ours, Method::GET, path, None).await.expect(200)));
        }
        told
    }
}

/// An answer without what is the server's (positions of its one log, time, trace), with its rows in order.
fn rows(answer: &Answer) -> String {
    let mut json = answer.json.clone();
    if let Some(object) = json.as_object_mut() {
        for name in ["position", "took_ms", "trace_id", "next_cursor"] {
            object.remove(name);
        }
    }
    let text = match &json {
        Value::Array(rows) => {
            let mut lines: Vec<String> = rows.iter().map(Value::to_string).collect();
            lines.sort();
            lines.join("\n")
        }
        Value::Null => {
            let mut lines: Vec<&str> = answer.text.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        }
        other => other.to_string(),
    };
    format!("{} {text}", answer.status)
}

/// What speaks of the engine at this moment: the answers differ, but not by what others wrote.
fn of_the_moment(question: &str) -> bool {
    question.contains("system.") && !question.contains("system.settings") || question.starts_with("EXPLAIN")
}

#[tokio::test]
async fn what_others_write_changes_no_answer() {
    let world = World::start().await;
    let own = world.write(&world.ours, &history("pelican")).await;
    let before = world.everything(own, own).await;
    let position = world.write(&world.theirs, &history(THEIRS)).await;
    let after = world.everything(own, position).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let mut full = 0;
    for (question, told) in &after {
        assert!(!told.to_lowercase().contains(THEIRS), "{question}: {told}");
        if !of_the_moment(question) {
            assert_eq!(&before[question], told, "{question}");
        }
        full += usize::from(told.contains("pelican"));
    }
    assert!(full > 60, "{full} of {} answers have rows, so that the others' would show", after.len());
    let found = world.sql(&world.theirs, "SELECT count(*) AS n FROM search('staging')", position).await.expect(200);
    assert!(found.json[0]["n"].as_u64() > Some(2), "they find their own: {}", found.text);
}

#[tokio::test]
async fn what_is_of_others_is_nobodys() {
    let world = World::start().await;
    world.write(&world.ours, &history("pelican")).await;
    let position = world.write(&world.theirs, &history(THEIRS)).await;
    world.searchable(position).await;
    let document = world.server.get("/openapi.json").await.expect(200).json;
    let mut asked = 0;
    for (pattern, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            if ["/v1/events/stream", "/v1/sql/live"].contains(&pattern.as_str()) {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let mut told = Vec::new();
            for name in [THEIRS, NOBODYS] {
                let (path, body) = question(pattern, &method, name);
                let answer = world.ask(&world.ours, method.clone(), &path, body).await;
                let answer = rows(&answer).replace(name, "NAME");
                assert!(!answer.contains(THEIRS), "{method} {path} suggests it: {answer}");
                told.push(answer);
            }
            // Settings of the moment and reports of work done say how long it took.
            if !["/metrics", "/readyz", "/v1/verify", "/v1/rebuild", "/v1/keys"].contains(&pattern.as_str()) {
                assert_eq!(told[0], told[1], "{method} {pattern}");
            }
            assert!(!told[0].contains("staging?") && !told[0].contains("Tuesday"), "{method} {pattern}: {}", told[0]);
            asked += 1;
        }
    }
    assert!(asked > 25, "{asked}");
    for sql in [
        "SELECT * FROM NAMEx",
        "SELECT NAME FROM tasks",
        "SELECT * FROM tasks WHERE task_id = 'NAME'",
        "SELECT * FROM search('NAME')",
        "SELECT * FROM text_search('NAME')",
        "SELECT embed('NAME')",
    ] {
        let mut told = Vec::new();
        for name in [THEIRS, NOBODYS] {
            told.push(rows(&world.sql(&world.ours, &sql.replace("NAME", name), position).await).replace(name, "NAME"));
        }
        assert_eq!(told[0], told[1], "{sql}");
    }
    let tail = run(&["tail", "--url", &world.server.url, "--key", &world.ours, "--after", "0", "--no-follow"]);
    let tail = String::from_utf8_lossy(&tail.stdout).into_owned();
    assert!(tail.contains("pelican") && !tail.contains(THEIRS), "{tail}");
}

/// The path and the body of a route when it is asked about `name`.
fn question(pattern: &str, method: &Method, name: &str) -> (String, Option<Value>) {
    let path = match pattern {
        "/v1/suggest" => format!("/v1/suggest?q={name}"),
        "/v1/events" if *method == Method::GET => format!("/v1/events?stream=task/{name}&type={name},task.created"),
        "/v1/search/similar/{id}" => format!("/v1/search/similar/knowledge/{name}"),
        _ => pattern.replace("{id}", name).replace("{name}", name).replace("{type}", name),
    };
    let body = (*method == Method::POST).then(|| match pattern {
        "/v1/sql" | "/api/v3/query_sql" => {
            json!({"sql": "SELECT task_id FROM tasks WHERE task_id = $1", "params": [name]})
        }
        "/v1/search" => json!({"query": name, "filter": format!("agent_id = '{name} agent'"), "facets": ["kind"]}),
        "/v1/context" => json!({"query": name, "conversation_id": name, "agent_id": name}),
        "/v1/knowledge/{id}/supersede" => json!({"by": name}),
        // Were ids looked up across workspaces, theirs would be a duplicate before its revision is compared.
        "/v1/events" => {
            json!({"type": "note.taken", "source": name, "id": "0", "expected_revision": 99, "data": {"text": name}})
        }
        "/v1/traces" | "/api/public/otel/v1/traces" => {
            let service = json!({"key": "service.name", "value": {"stringValue": name}});
            let nameless = json!([{"spans": [{"name": name}]}]);
            json!({"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": nameless}]})
        }
        // Without a value it is refused: were it stored, what is theirs by name would be ours as well.
        "/api/public/scores" => json!({"id": name, "name": name, "traceId": name}),
        "/api/public/ingestion" => {
            let score = json!({"id": name, "name": name, "sessionId": name});
            json!({"batch": [{"id": name, "type": "score-create", "body": score}]})
        }
        "/v1/span_annotations" => {
            let score = json!({"score": 1});
            json!({"data": [{"span_id": "00f067aa0ba902b7", "name": name, "annotator_kind": "HUMAN", "result": score}]})
        }
        "/v1/backup" => json!({"to": format!("/{name}")}),
        _ => json!({}),
    });
    (path, body)
}

#[tokio::test]
async fn ids_of_requests_are_each_workspaces_own() {
    let world = World::start().await;
    let event = json!({"type": "note.taken", "source": "s", "id": "1", "data": {"text": "mine"}});
    let append = |key: &str| {
        let request = world.server.request(Method::POST, "/v1/events").bearer_auth(key);
        Answer::of(request.header("idempotency-key", "one").json(&event))
    };
    let first = append(&world.theirs).await.expect(201);
    let second = append(&world.ours).await.expect(201);
    assert_eq!(second.header("idempotent-replayed"), "", "an answer is replayed to its own workspace only");
    assert_ne!(first.json["position"], second.json["position"]);

    let position = world.write(&world.theirs, &history(THEIRS)).await;
    let page = json!({"query": "staging", "limit": 1, "min_position": position, "wait_ms": 20_000});
    let page = world.ask(&world.theirs, Method::POST, "/v1/search", Some(page)).await.expect(200);
    let cursor = page.json["next_cursor"].as_str().expect("there are more hits");
    let stolen = json!({"query": "staging", "limit": 1, "cursor": cursor});
    let stolen = world.ask(&world.ours, Method::POST, "/v1/search", Some(stolen)).await;
    assert!((400..=499).contains(&stolen.status) && !stolen.text.contains(THEIRS), "{}", stolen.text);

    let their_key = world.theirs.split('_').nth(1).expect("an id");
    for (method, path) in
        [(Method::DELETE, format!("/v1/keys/{their_key}")), (Method::POST, format!("/v1/keys/{their_key}/rotate"))]
    {
        world.ask(&world.ours, method, &path, None).await.expect_problem(404, "unknown_key");
    }
    let slow = json!({"sql": "SELECT count(*) FROM generate_series(1, 2000000000) a WHERE a.value % 7 = 3", "query_id": "same",
        "timeout_ms": 60_000});
    let running = world.ask(&world.theirs, Method::POST, "/v1/sql", Some(slow));
    tokio::pin!(running);
    let meddling = async {
        let is_there = "SELECT count(*) AS n FROM system.queries WHERE query_id = 'same'";
        while world.sql(&world.theirs, is_there, 0).await.expect(200).json[0]["n"] != 1 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let seen = world.sql(&world.ours, is_there, 0).await;
        assert_eq!(seen.json[0]["n"], 0, "{}", seen.text);
        world.ask(&world.ours, Method::DELETE, "/v1/sql/same", None).await.expect(404);
        let own = json!({"sql": "SELECT 1 AS one", "query_id": "same"});
        world.ask(&world.ours, Method::POST, "/v1/sql", Some(own)).await.expect(200);
    };
    tokio::select! {
        ended = &mut running => panic!("it ended before anybody meddled: {} {}", ended.status, ended.text),
        () = meddling => {}
    }
    let (ended, cancelled) = tokio::join!(running, world.ask(&world.theirs, Method::DELETE, "/v1/sql/same", None));
    cancelled.expect(204);
    ended.expect_problem(410, "sql_cancelled");
}

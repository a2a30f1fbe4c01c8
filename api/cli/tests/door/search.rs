//! Asking in words, with the real model: modes, filters, pages, positions, memory, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::embedding::{embedded, with_model};
use crate::server::{Server, run};

fn note(id: &str, title: &str, text: &str) -> Value {
    let data = json!({"knowledge_id": id, "title": title, "text": text, "tags": ["ops"], "agent_id": "Claude"});
    json!({"type": "knowledge.noted", "source": "t", "id": format!("note-{id}"), "data": data})
}

fn turn(id: &str, seconds: u64, from: &str, text: &str) -> Value {
    let data = json!({"message_id": id, "conversation_id": "c1", "from": from, "text": text});
    let time = format!("2026-03-01T10:00:{seconds:02}Z");
    json!({"type": "message.sent", "source": "t", "id": format!("turn-{id}"), "time": time, "data": data})
}

fn history() -> Value {
    json!([
        note("locks", "Lock order", "Take the schema lock before the row lock; migrations failed otherwise."),
        note("retry", "Retries", "Retries of a failing migration double the load of the database."),
        note("cake", "Chocolate cake", "Eggs, flour and sugar."),
        turn("m1", 10, "ann", "Shall we deploy the billing service on Friday?"),
        turn("m2", 20, "bob", "Yes, the second one."),
        note("code", "Settings", "Call parse_config in src/settings.rs, never readAll()."),
        {"type": "task.created", "source": "t", "id": "task", "data":
            {"task_id": "42", "title": "Rename the column", "text": "The column of customers is called two ways."}},
    ])
}

/// Writes the history and waits until all of it has vectors.
async fn fill(server: &Server) -> u64 {
    let written = server.post("/v1/events", &history()).await.expect(201);
    let position = written.json["position"].as_u64().expect("a position");
    embedded(server, position).await;
    position
}

async fn search(server: &Server, body: Value) -> Value {
    server.post("/v1/search", &body).await.expect(200).json
}

fn ids(reply: &Value) -> Vec<&str> {
    reply["hits"].as_array().into_iter().flatten().filter_map(|hit| hit["id"].as_str()).collect()
}

#[tokio::test]
async fn all_that_follows_the_log_says_how_far_it_is() {
    let server = with_model(None, &[]);
    let position = fill(&server).await;
    let sql = "SELECT name, position, lag_events, pending, last_error FROM system.projections ORDER BY name";
    let rows = server.rows(sql, position).await;
    let row = |name: &str, pending: Value| json!({"name": name, "position": position, "lag_events": 0, "pending": pending, "last_error": null});
    assert_eq!(rows, json!([row("tables", Value::Null), row("text_index", Value::Null), row("vectors", json!(0))]));
}

#[tokio::test]
async fn vectors_are_computed_again() {
    let server = with_model(None, &[]);
    let position = fill(&server).await;
    let question = json!({"query": "animals of a farm", "mode": "semantic"});
    let before = search(&server, question.clone()).await["hits"].clone();
    let folder = server.folder.to_str().expect("text");
    let told = run(&["rebuild", "--data", folder, "--vectors"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert!(told["vectors_pending"].as_u64() > Some(0) && told["events"] == 0, "{told}");
    embedded(&server, position).await;
    assert_eq!(search(&server, question).await["hits"], before);
    let without = Server::start();
    let folder = without.folder.to_str().expect("text");
    let refused = run(&["rebuild", "--data", folder, "--vectors"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("model"), "{said}");
}

#[tokio::test]
async fn a_search_answers_as_the_contract_says() {
    let server = with_model(None, &[]);
    let position = fill(&server).await;
    // What it means, in other words.
    let found = search(&server, json!({"query": "baking a dessert", "mode": "semantic"})).await;
    assert_eq!(ids(&found)[0], "knowledge/cake");
    let found = search(
        &server,
        json!({"query": "schema migration fails", "mode": "hybrid", "explain": true,
        "highlight": true, "facets": ["kind", "tags"], "fusion": {"method": "weighted", "alpha": 0.6},
        "recency": {"half_life": "30d"}, "limit": 3, "filter": "kind = 'knowledge' AND lower(agent_id) = 'claude'"}),
    )
    .await;
    assert_eq!(ids(&found)[0], "knowledge/locks");
    let best = &found["hits"][0];
    for name in ["text", "vector", "rank_text", "rank_vector", "recency", "alpha"] {
        assert!(best["scores"][name].is_number(), "{name}: {best}");
    }
    assert!(best["highlight"].as_str().is_some_and(|text| text.contains("<mark>")), "{best}");
    assert_eq!((&found["facets"]["kind"], &found["facets"]["tags"]), (&json!({"knowledge": 4}), &json!({"ops": 4})));
    assert_eq!((&found["position"], &best["fields"]["agent_id"]), (&json!(position), &json!("Claude")));
    assert!(found["took_ms"].is_u64() && best["score"].is_number() && best["version"].is_u64());
    let rrf = json!({"query": "failing migration", "fusion": {"method": "rrf", "k": 60}});
    assert_eq!(ids(&search(&server, rrf).await)[0], "knowledge/retry");
    // A turn is found by what was said before it; a name of code goes to the words.
    let turns = search(&server, json!({"query": "billing deploy", "filter": "conversation_id = 'c1'"})).await;
    assert_eq!(ids(&turns), ["message/m1", "message/m2"]);
    let auto = search(&server, json!({"query": "parse_config", "mode": "auto", "explain": true})).await;
    assert_eq!(ids(&auto), ["knowledge/code"]);
    assert!(auto["hits"][0]["scores"].get("vector").is_none());
    let exact = json!({"query": "baking a dessert", "mode": "semantic", "exact": true});
    assert_eq!(ids(&search(&server, exact).await)[0], "knowledge/cake");
    let text = search(&server, json!({"query": "42", "mode": "text"})).await;
    assert_eq!(ids(&text), ["task/42"], "by its id");
    let suggested = server.get("/v1/suggest?q=choc").await.expect(200);
    assert_eq!(suggested.json, json!({"data": ["Chocolate cake"], "next_cursor": null}));
    assert_eq!(suggested.header("x-partitura-position"), position.to_string());
    let past = server.get("/v1/suggest?q=choc&as_of=2").await.expect(200);
    assert_eq!(past.json["data"], json!([]));
    let similar = server.get("/v1/search/similar/knowledge/locks?limit=1").await.expect(200);
    assert_eq!(ids(&similar.json), ["knowledge/retry"]);
    server.get("/v1/search/similar/knowledge/none").await.expect_problem(404, "unknown_id");
}

#[tokio::test]
async fn pages_and_positions_hold_what_they_promise() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = with_model(Some(folder.path()), &[]);
    let position = fill(&server).await;
    let whole = search(&server, json!({"query": "the migration of a column"})).await;
    let mut paged: Vec<String> = Vec::new();
    let mut body = json!({"query": "the migration of a column", "limit": 2});
    loop {
        let page = search(&server, body.clone()).await;
        paged.extend(ids(&page).into_iter().map(str::to_owned));
        // What comes in between does not move what was seen.
        let text = format!("A migration of column {}.", paged.len());
        server.post("/v1/events", &note(&format!("n{}", paged.len()), "Column", &text)).await.expect(201);
        match page["next_cursor"].as_str() {
            Some(cursor) => body["cursor"] = json!(cursor),
            None => break,
        }
    }
    assert_eq!(paged, ids(&whole));
    body["cursor"] = json!("ffffff.2");
    server.post("/v1/search", &body).await.expect_problem(410, "cursor_gone");
    body["cursor"] = json!("page two");
    server.post("/v1/search", &body).await.expect(422);
    // Read your writes, and the past.
    let fresh = server.post("/v1/events", &note("zebra", "Zebra", "A zebra is in the barn.")).await.expect(201);
    let at = fresh.json["position"].as_u64().expect("a position");
    let now = json!({"query": "zebra", "mode": "text", "min_position": at, "wait_ms": 20_000});
    assert_eq!(ids(&search(&server, now.clone()).await), ["knowledge/zebra"]);
    let past = json!({"query": "zebra", "mode": "text", "as_of": position});
    assert_eq!(
        (ids(&search(&server, past.clone()).await).len(), search(&server, past).await["position"].as_u64()),
        (0, Some(position))
    );
    let early = json!({"query": "zebra", "min_position": at + 1_000, "wait_ms": 30});
    server.post("/v1/search", &early).await.expect_problem(504, "not_yet_visible");
    embedded(&server, at).await;
    let questions = [
        json!({"query": "animals of a farm", "mode": "semantic"}),
        json!({"query": "failing migration of a column", "filter": "kind = 'knowledge'"}),
        json!({"query": "schema lock", "as_of": position}),
    ];
    let mut before = Vec::new();
    for question in &questions {
        before.push(search(&server, question.clone()).await["hits"].clone());
    }
    server.terminate();
    let server = with_model(Some(folder.path()), &[]);
    for (question, before) in questions.iter().zip(&before) {
        let mut question = question.clone();
        question["min_position"] = json!(at);
        question["wait_ms"] = json!(20_000);
        assert_eq!(&search(&server, question).await["hits"], before, "the same after a restart");
    }
}

#[tokio::test]
async fn memory_is_noted_replaced_retracted_and_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = with_model(Some(folder.path()), &[]);
    let position = fill(&server).await;
    let body = json!({"text": "The staging database is reset every Monday.", "title": "Staging", "kind": "fact"});
    let key =
        |key: &str| server.request(Method::POST, "/v1/knowledge").header("idempotency-key", key.to_owned()).json(&body);
    let noted = Answer::of(key("k1")).await.expect(201);
    let again = Answer::of(key("k1")).await.expect(201);
    assert_eq!(noted.json["knowledge_id"], again.json["knowledge_id"]);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let id = noted.json["knowledge_id"].as_str().expect("an id").to_owned();
    let one = server.get(&format!("/v1/knowledge/{id}?min_position={}", noted.json["position"])).await.expect(200);
    assert_eq!(one.json["text"], body["text"]);
    let by = server.post(&format!("/v1/knowledge/{id}/supersede"), &json!({"by": "locks"})).await.expect(201);
    let last = server.post("/v1/knowledge/retry/retract", &json!({"reason": "measured wrongly"})).await.expect(201);
    server.post("/v1/knowledge/nothing/retract", &json!({})).await.expect_problem(404, "unknown_id");
    let at = last.json["position"].as_u64().expect("a position");
    let history = server.get(&format!("/v1/knowledge/{id}/history?min_position={at}&wait_ms=20000")).await.expect(200);
    assert_eq!(history.json["data"].as_array().map(Vec::len), Some(2), "{}", history.text);
    let then = server.get(&format!("/v1/knowledge/{id}?as_of={}", noted.json["position"])).await.expect(200);
    assert_eq!(then.json["text"], body["text"]);
    // What is replaced or retracted is found only where one asks for it, or in its own time.
    let own = format!("knowledge/{id}");
    let ended = [("staging Monday", own.as_str()), ("retries double load", "knowledge/retry")];
    only_where_asked_for(&server, &ended, at).await;
    let mut past = json!({"query": "staging Monday", "mode": "text", "min_position": at, "wait_ms": 20_000});
    past["as_of"] = json!(by.json["position"].as_u64().expect("a position") - 1);
    assert_eq!(ids(&search(&server, past).await), [own.as_str()]);
    let similar = server.get(&format!("/v1/search/similar/{own}")).await.expect(200);
    assert!(!ids(&similar.json).contains(&"knowledge/retry"), "{}", similar.text);
    let titles = server.get("/v1/suggest?q=Stag").await.expect(200);
    assert_eq!(titles.json["data"], json!([]), "{}", titles.text);
    let thread = server.get("/v1/conversations/c1").await.expect(200).json;
    let turns: Vec<_> = thread["turns"].as_array().into_iter().flatten().map(|turn| turn["id"].as_str()).collect();
    assert_eq!(turns, [Some("m1"), Some("m2")]);
    server.get("/v1/conversations/none").await.expect_problem(404, "unknown_id");
    let context = json!({"query": "how do migrations lock tables", "max_tokens": 40, "min_position": position});
    let context = server.post("/v1/context", &context).await.expect(200).json;
    let passages = context["passages"].as_array().expect("passages");
    let tokens: u64 = passages.iter().filter_map(|passage| passage["tokens"].as_u64()).sum();
    assert!(tokens <= 40 && context["tokens"] == tokens, "{context}");
    assert_eq!(passages[0]["source"], "knowledge/locks");
    server.terminate();
    let server = with_model(Some(folder.path()), &[]);
    only_where_asked_for(&server, &ended, at).await;
}

/// Asks search, SQL and a prompt for what has ended; each pair is a query and the document that it would find.
async fn only_where_asked_for(server: &Server, ended: &[(&str, &str)], at: u64) {
    for (query, document) in ended {
        let ask = |more: Value| {
            let mut body = json!({"query": query, "mode": "text", "min_position": at, "wait_ms": 20_000});
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            body
        };
        let found = search(server, ask(json!({}))).await;
        assert!(!ids(&found).contains(document), "{found}");
        let found = search(server, ask(json!({"include_ended": true}))).await;
        assert!(found["hits"][0]["id"] == *document && found["hits"][0]["fields"]["valid_to"].is_string(), "{found}");
        let found = search(server, ask(json!({"include_ended": true, "filter": "valid_to IS NULL"}))).await;
        assert!(!ids(&found).contains(document), "{found}");
        let sql = |more: &str| format!("SELECT doc_id FROM text_search('{query}'{more}) ORDER BY rank LIMIT 1");
        assert_ne!(server.rows(&sql(""), at).await[0]["doc_id"], *document);
        assert_eq!(server.rows(&sql(", include_ended => true"), at).await[0]["doc_id"], *document);
        // A prompt gets nothing that no longer holds.
        let packed = json!({"query": query, "max_tokens": 4_000, "min_position": at, "wait_ms": 20_000});
        let context = server.post("/v1/context", &packed).await.expect(200).json;
        let sources = context["passages"].as_array().into_iter().flatten().map(|passage| passage["source"].as_str());
        assert!(!sources.flatten().any(|source| source == *document), "{context}");
    }
}

#[tokio::test]
async fn knowledge_holds_until_its_own_end() {
    let server = Server::start();
    let note =
        |id: &str, valid_to: &str| json!({"knowledge_id": id, "text": "The gate code is 4711.", "valid_to": valid_to});
    server.post("/v1/knowledge", &note("past", "2020-01-01T00:00:00Z")).await.expect(201);
    let last = server.post("/v1/knowledge", &note("future", "2199-01-01T00:00:00Z")).await.expect(201);
    let ask = json!({"query": "gate code", "mode": "text", "min_position": last.json["position"], "wait_ms": 20_000});
    assert_eq!(ids(&search(&server, ask).await), ["knowledge/future"]);
}

#[tokio::test]
async fn odd_questions_are_answered_or_refused_with_the_next_step() {
    let server = Server::start();
    let written = server.post("/v1/events", &history()).await.expect(201);
    let at = written.json["position"].as_u64();
    let ask = |query: &str| json!({"query": query, "mode": "text", "min_position": at, "wait_ms": 20_000});
    for (query, found) in [
        ("\"schema lock\"", 1),
        ("\"lock schema\"", 0),
        ("\"unbalanced schema lock", 1),
        ("\"\"\" \" (*:* ~ ^ \\", 0),
        ("\u{0}\u{202e}", 0),
    ] {
        let reply = search(&server, ask(query)).await;
        assert!(ids(&reply).len() >= found && (found > 0 || ids(&reply).is_empty()), "{query}: {reply}");
    }
    let long = search(&server, ask(&"zebra ".repeat(10_900))).await;
    assert!(long["warnings"][0].as_str().is_some_and(|text| text.contains("4096 bytes")), "{long}");
    for (body, status, path) in [
        (json!({"query": ""}), 422, "query"),
        (json!({}), 422, "query"),
        (json!({"query": "x".repeat(66_000)}), 413, "query"),
        (json!({"query": 7}), 422, "query"),
        (json!({"query": "x", "limit": 1_001}), 422, "limit"),
        (json!({"query": "x", "mode": "hybird"}), 422, "mode"),
        (json!({"query": "x", "filter": "kint = 'task'"}), 422, "filter"),
        (json!({"query": "x", "filter": "kind = 'a'; DROP TABLE tasks"}), 422, "filter"),
        (json!({"query": "x", "filter": "kind = 'unclosed"}), 422, "filter"),
        (json!({"query": "x", "filter": "(".repeat(4_000)}), 422, "filter"),
        (json!({"query": "x", "filter": "a".repeat(5_000)}), 422, "filter"),
        (json!({"query": "x", "filter": "NOT ".repeat(1_000) + "true"}), 422, "filter"),
        (json!({"query": "x", "filter": format!("1{}", " + 1".repeat(1_000))}), 422, "filter"),
        (json!({"query": "x", "fusion": {"alpha": 1.5}}), 422, "fusion.alpha"),
        (json!({"query": "x", "fusion": {"method": "sum"}}), 422, "fusion.method"),
        (json!({"query": "x", "recency": {"half_life": "soon"}}), 422, "recency.half_life"),
        (json!({"query": "x", "facets": ["kin"]}), 422, "facets"),
        (json!({"query": "x", "wait_ms": 99_999_999}), 422, "wait_ms"),
    ] {
        let shown: String = body.to_string().chars().take(120).collect();
        let answer = server.post("/v1/search", &body).await;
        assert_eq!(
            (answer.status, &answer.json["issues"][0]["path"]),
            (status, &json!(path)),
            "{shown}: {}",
            answer.text
        );
    }
    let semantic = server.post("/v1/search", &json!({"query": "x", "mode": "semantic"})).await;
    semantic.expect_problem(503, "model_missing");
    let hybrid = search(&server, json!({"query": "chocolate", "min_position": at, "wait_ms": 20_000})).await;
    assert_eq!(ids(&hybrid), ["knowledge/cake"]);
    assert!(hybrid["warnings"][0].as_str().is_some_and(|text| text.starts_with("answered by words alone")), "{hybrid}");
}

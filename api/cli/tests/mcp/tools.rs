//! Every tool through every client: what it writes is asked from the tables, what it reads is what was written.

use serde_json::{Value, json};

use crate::client::{Client, text};
use crate::server::Server;

const TOOLS: &[&str] = &[
    "add_memory",
    "get_memory",
    "delete_memory",
    "search_memories",
    "get_context",
    "record_interaction",
    "record_task",
    "record_outcome",
    "query_sql",
    "list_tables",
    "describe_table",
];

fn call(name: &str, arguments: Value) -> Value {
    json!({"call": name, "arguments": arguments})
}

fn secret() -> String {
    format!("gh{}_{}", "p", "a1B2".repeat(9))
}

fn writes() -> Vec<Value> {
    let note = json!({"knowledge_id": "k 1/ü", "title": "Staging", "text": "The staging database resets on Monday.",
        "kind": "fact", "tags": ["db"], "agent_id": "claude", "idempotency_key": "once"});
    vec![
        call("add_memory", note.clone()),
        call("add_memory", note),
        call("add_memory", json!({"text": "The staging server restarts at noon."})),
        call("record_task", json!({"task_id": "t-1", "title": "Mend the staging import", "priority": 1, "titel": "x"})),
        call("record_task", json!({"event": "started", "task_id": "t-1", "agent_id": "claude"})),
        call(
            "record_interaction",
            json!({"kind": "llm", "agent_id": "claude", "task_id": "t-1", "model": "m-1", "tokens_in": 12, "cost": "0.10",
                "input": "why does staging fail?", "output": format!("the token {} is old", secret()),
                "time": "2026-01-05T10:00:00Z", "event_id": "i-event", "source": "harness"}),
        ),
        call("record_outcome", json!({"task_id": "t-1", "name": "tests", "success": true, "evaluator": "code"})),
        call("record_task", json!({"event": "completed", "task_id": "t-1", "summary": "mended"})),
    ]
}

/// Position of the last of these writes: the repeated note made none.
const WRITTEN: u64 = 7;

fn reads() -> Vec<Value> {
    let at = |mut arguments: Value| {
        arguments["min_position"] = json!(WRITTEN);
        arguments["wait_ms"] = json!(30_000);
        arguments
    };
    let sql = "SELECT task_id, status, title FROM tasks WHERE task_id = $id";
    vec![
        call("get_memory", at(json!({"knowledge_id": "k 1/ü"}))),
        call("search_memories", at(json!({"query": "staging database", "filter": "kind = 'knowledge'"}))),
        call("get_context", at(json!({"query": "staging database", "max_tokens": 500}))),
        call("query_sql", at(json!({"sql": sql, "params": {"id": "t-1"}}))),
        call("list_tables", json!({})),
        call("describe_table", json!({"name": "tasks"})),
        json!({"read": "partitura://knowledge/k%201%2F%C3%BC"}),
        json!({"read": "partitura://tables/tasks"}),
        json!({"read": "partitura://tables"}),
    ]
}

fn endings() -> Vec<Value> {
    let at = json!({"query": "staging database", "filter": "kind = 'knowledge'", "min_position": WRITTEN + 1, "wait_ms": 30_000});
    vec![call("delete_memory", json!({"knowledge_id": "K 1/Ü", "reason": "it moved"})), call("search_memories", at)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_writes_and_reads() {
    for client in Client::all() {
        let server = Server::start();
        let lists = vec![json!({"tools": true}), json!({"resources": true}), json!({"templates": true})];
        let steps = [lists, writes(), reads(), endings()].concat();
        let told = client.talk(&server, None, json!(steps)).await;
        let expected = if client.mode == "legacy" { "2025-11-25" } else { "2026-07-28" };
        // The stdio transport of the TypeScript client does not say which version was agreed on.
        assert!(told.version == expected || told.version.is_null(), "{client:?}: {}", told.version);
        let (lists, rest) = told.answers.split_at(3);
        let (written, rest) = rest.split_at(writes().len());
        let (read, ended) = rest.split_at(reads().len());
        eprintln!("{client:?}");
        assert_lists(lists);
        assert_writes(written);
        assert_reads(read);
        assert_endings(ended);
        assert_rows(&server).await;
    }
}

fn assert_lists(lists: &[Value]) {
    let tools = lists[0]["tools"].as_array().expect("tools");
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect();
    assert_eq!(names, TOOLS);
    for tool in tools {
        let hints = &tool["annotations"];
        let reads = !["add_memory", "delete_memory"].contains(&tool["name"].as_str().unwrap_or_default())
            && !tool["name"].as_str().unwrap_or_default().starts_with("record_");
        assert_eq!(hints["readOnlyHint"], reads, "{tool}");
        assert_eq!(hints["destructiveHint"], tool["name"] == "delete_memory", "{tool}");
        assert_eq!((&hints["idempotentHint"], &hints["openWorldHint"]), (&json!(reads), &json!(false)), "{tool}");
        assert_eq!((&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]), (&json!("object"), &json!("object")));
        assert!(tool["description"].as_str().is_some_and(|about| about.len() > 30), "{tool}");
    }
    let uris: Vec<_> = lists[1]["resources"].as_array().expect("resources").iter().map(|r| r["uri"].clone()).collect();
    assert!(
        uris.contains(&json!("partitura://tables")) && uris.contains(&json!("partitura://tables/knowledge")),
        "{uris:?}"
    );
    assert_eq!(lists[2]["resourceTemplates"][1]["uriTemplate"], "partitura://knowledge/{knowledge_id}");
}

fn assert_writes(written: &[Value]) {
    for (n, position) in [1, 1, 2, 3, 4, 5, 6, 7].into_iter().enumerate() {
        let answer = &written[n];
        assert_ne!(answer["isError"], true, "{answer}");
        assert_eq!(answer["structuredContent"]["results"][0]["position"], position, "{answer}");
        assert!(text(answer).contains(&format!("position {position}")), "{answer}");
    }
    assert_eq!(written[0]["structuredContent"]["knowledge_id"], "k 1/ü");
    assert!(text(&written[1]).contains("stored answer"), "{}", written[1]);
    assert!(written[2]["structuredContent"]["knowledge_id"].as_str().is_some_and(|id| id.len() > 20), "{}", written[2]);
    // The first warning says that the server made the id.
    assert_eq!(written[3]["structuredContent"]["warnings"][1]["nearest"], "title", "{}", written[3]);
    assert!(text(&written[3]).contains("did you mean `title`"), "{}", written[3]);
    assert!(written[5]["structuredContent"]["interaction_id"].is_string(), "{}", written[5]);
    assert!(!written[5].to_string().contains(&secret()) && text(&written[5]).contains("Secrets"), "{}", written[5]);
}

fn assert_reads(read: &[Value]) {
    for answer in &read[..6] {
        assert_ne!(answer["isError"], true, "{answer}");
    }
    let piece = &read[0]["structuredContent"];
    assert_eq!((&piece["knowledge"]["title"], &piece["position"]), (&json!("Staging"), &json!(WRITTEN)));
    assert!(text(&read[0]).contains("resets on Monday") && text(&read[0]).contains("<stored-data "), "{}", read[0]);
    let found = &read[1]["structuredContent"];
    assert_eq!((&found["hits"][0]["id"], &found["truncated"]), (&json!("knowledge/k 1/ü"), &json!(false)), "{found}");
    assert!(text(&read[1]).starts_with("2 of 2 hits"), "{}", read[1]);
    let context = &read[2]["structuredContent"];
    assert!(context["passages"].as_array().is_some_and(|passages| passages.len() >= 2), "{context}");
    assert!(context["tokens"].as_u64().is_some_and(|tokens| tokens <= 500), "{context}");
    let rows = &read[3]["structuredContent"];
    assert_eq!(rows["data"], json!([{"task_id": "t-1", "status": "completed", "title": "Mend the staging import"}]));
    assert_eq!((&rows["row_count"], &rows["schema"][1]["name"]), (&json!(1), &json!("status")));
    assert!(text(&read[3]).contains("| t-1 | completed | Mend the staging import |"), "{}", read[3]);
    let tables = read[4]["structuredContent"]["data"].as_array().expect("tables");
    assert!(tables.iter().any(|table| table["name"] == "knowledge"), "{tables:?}");
    assert_eq!(read[5]["structuredContent"]["key"], json!(["task_id"]));
    assert!(text(&read[5]).contains("`priority`"), "{}", read[5]);
    let content = |n: usize| read[n]["contents"][0]["text"].as_str().expect("a text");
    assert!(content(6).contains("resets on Monday") && content(6).contains("</stored-data "), "{}", read[6]);
    let described: Value = serde_json::from_str(content(7)).expect("JSON");
    assert_eq!(described["name"], "tasks");
    assert!(content(8).contains("\"knowledge\""), "{}", read[8]);
}

fn assert_endings(ended: &[Value]) {
    assert_eq!(ended[0]["structuredContent"]["results"][0]["position"], WRITTEN + 1, "{}", ended[0]);
    let hits = ended[1]["structuredContent"]["hits"].as_array().expect("hits");
    assert!(hits.iter().all(|hit| hit["id"] != "knowledge/k 1/ü"), "what is retracted is not found: {hits:?}");
}

/// What the tables say after all of it.
async fn assert_rows(server: &Server) {
    let rows = async |sql: &str| server.rows(sql, WRITTEN + 1).await;
    let knowledge = rows(
        "SELECT knowledge_id, title, text, kind, tags, agent_id, status, reason FROM knowledge ORDER BY _pos DESC",
    )
    .await;
    assert_eq!(
        knowledge[0],
        json!({"knowledge_id": "k 1/ü", "title": "Staging", "text": "The staging database resets on Monday.",
            "kind": "fact", "tags": ["db"], "agent_id": "claude", "status": "retracted", "reason": "it moved"})
    );
    assert_eq!(knowledge.as_array().map(Vec::len), Some(2));
    let tasks = rows("SELECT title, priority, status FROM tasks WHERE task_id = 't-1'").await;
    assert_eq!(tasks, json!([{"title": "Mend the staging import", "priority": 1, "status": "completed"}]));
    let calls = rows("SELECT kind, agent_id, model, tokens_in, output FROM interactions").await;
    assert_eq!(
        (&calls[0]["kind"], &calls[0]["model"], &calls[0]["tokens_in"]),
        (&json!("llm"), &json!("m-1"), &json!(12))
    );
    assert!(!calls.to_string().contains(&secret()) && calls.to_string().contains("the token"), "{calls}");
    let outcomes = rows("SELECT task_id, name, success, evaluator FROM outcomes").await;
    assert_eq!(outcomes, json!([{"task_id": "t-1", "name": "tests", "success": true, "evaluator": "code"}]));
    let sent = rows("SELECT id, source, time FROM events WHERE type = 'interaction.recorded'").await;
    assert_eq!((&sent[0]["id"], &sent[0]["source"]), (&json!("i-event"), &json!("harness")), "{sent}");
    assert!(sent[0]["time"].as_str().is_some_and(|time| time.starts_with("2026-01-05T10:00:00")), "{sent}");
}

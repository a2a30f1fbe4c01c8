//! How requests become records, and records rows: by trace, at most 1 MiB, nothing doubled, nothing lost.

use serde_json::{Value, json};

use crate::request::{START, TRACE, chat, export, int, logs, text, traces};
use crate::server::Server;

const SUMS: &str = "SELECT count(*) AS calls, sum(tokens_in) AS tokens FROM interactions";

#[tokio::test]
async fn what_is_sent_again_is_not_doubled() {
    let server = Server::start();
    let spans: Vec<_> = (1..=6).map(|n| chat(TRACE, &format!("{n:016x}"))).collect();
    export(&server, "/v1/traces", &traces("app", &spans)).await;
    let position = export(&server, "/v1/traces", &traces("app", &spans)).await;
    assert_eq!(position, 6);
    // Some in other batches, and twice in one.
    export(&server, "/v1/traces", &traces("app", &spans[2..4])).await;
    let twice = [spans[0].clone(), spans[0].clone(), spans[5].clone()];
    let position = export(&server, "/v1/traces", &traces("app", &twice)).await;
    assert_eq!(server.rows(SUMS, position).await, json!([{"calls": 6, "tokens": 60}]));
    let costs = "SELECT count(*) AS n, sum(cost) AS cost, min(cost_source) AS source FROM costs";
    let priced = server.rows(costs, position).await;
    assert_eq!(priced[0]["n"], 6, "{priced}");
    assert_eq!(priced[0]["source"], "derived", "{priced}");
    let before = server.rows("SELECT * FROM interactions ORDER BY interaction_id", position).await;
    server.post("/v1/rebuild", &json!({})).await.expect(200);
    assert_eq!(server.rows("SELECT * FROM interactions ORDER BY interaction_id", position).await, before);
}

#[tokio::test]
async fn each_item_is_a_record_of_one_append() {
    let server = Server::start();
    let mut spans: Vec<_> = (1..=130).map(|n| chat(TRACE, &format!("{n:016x}"))).collect();
    spans.insert(3, chat("0af7651916cd43dd8448eb211c80319c", "00000000000000ff"));
    let position = export(&server, "/v1/traces", &traces("app", &spans)).await;
    assert_eq!(position, 131);
    let sql = "SELECT stream, source, count(*) AS n FROM events GROUP BY 1, 2 ORDER BY 1";
    let expected = json!([
        {"stream": "trace/0af7651916cd43dd8448eb211c80319c", "source": "app", "n": 1},
        {"stream": format!("trace/{TRACE}"), "source": "app", "n": 130},
    ]);
    assert_eq!(server.rows(sql, position).await, expected);
    assert_eq!(server.rows(SUMS, position).await, json!([{"calls": 131, "tokens": 1310}]));
    let found = server
        .post("/v1/search", &json!({"query": "red", "mode": "text", "limit": 200, "min_position": position}))
        .await;
    assert_eq!(found.expect(200).json["hits"].as_array().map(Vec::len), Some(131));
}

/// Puts the parts of whole items together.
async fn wholes(server: &Server, position: u64) -> Vec<Value> {
    let rows = server.rows("SELECT id, data, octet_length(data) AS n FROM events", position).await;
    let rows: Vec<Value> = rows.as_array().expect("rows").clone();
    assert!(rows.iter().all(|row| row["n"].as_u64().expect("a size") <= 1 << 20), "no record is over 1 MiB");
    let data = rows.iter().map(|row| serde_json::from_str::<Value>(row["data"].as_str().expect("data")).expect("JSON"));
    let mut parts: Vec<_> = data.filter(|data| data.get("whole_of").is_some()).collect();
    parts.sort_by_key(|part| (part["whole_of"].to_string(), part["part"].as_u64()));
    let mut items: Vec<(String, String)> = Vec::new();
    for part in parts {
        let (of, text) = (part["whole_of"].to_string(), part["text"].as_str().expect("text"));
        match items.last_mut().filter(|(known, _)| *known == of) {
            Some((_, whole)) => whole.push_str(text),
            None => items.push((of, text.to_owned())),
        }
    }
    items.iter().map(|(_, whole)| serde_json::from_str(whole).expect("a whole item")).collect()
}

#[tokio::test]
async fn what_is_understood_is_told() {
    let server = Server::start();
    let mut other = chat(TRACE, "0000000000000002");
    other["name"] = json!("GET /health");
    other["attributes"] = json!([text("http.request.method", "GET")]);
    other["droppedAttributesCount"] = json!(2);
    let mut call = chat(TRACE, "0000000000000001");
    call["attributes"].as_array_mut().expect("attributes").push(text("acme.flavour", "sweet"));
    let taken = server.post("/v1/traces", &traces("app", &[call, other, chat(TRACE, "")])).await.expect(200);
    let position: u64 = taken.header("x-partitura-position").parse().expect("a position");
    server.rows("SELECT 1 AS one FROM events", position).await;
    let health = server.get("/v1/ingest/health").await.expect(200).json;
    let source = &health["sources"][0];
    assert_eq!(
        (&source["source"], &source["items"], &source["recognised"]),
        (&json!("app"), &json!(2), &json!({"gen_ai": 1}))
    );
    assert_eq!((&source["unknown"], &source["unknown_names"]), (&json!(1), &json!({"GET /health": 1})));
    assert_eq!(source["attributes"]["unknown"], json!({"acme.flavour": 1}));
    assert_eq!(source["attributes"]["recognised"]["gen_ai.request.model"], 1);
    assert_eq!(source["attributes"]["dropped_by_exporter"], 2);
    assert_eq!(health["refused_since_start"], json!({"otlp.traces": {"without a span id of 8 bytes": 1}}));
}

#[tokio::test]
async fn large_items_are_kept_whole() {
    let server = Server::start();
    let mut long = chat(TRACE, "0000000000000001");
    let body = "\"quoted\" \\ ünï ".repeat(100_000);
    long["attributes"][3] = text("gen_ai.prompt", &body);
    let mut wide = chat(TRACE, "0000000000000002");
    let many = wide["attributes"].as_array_mut().expect("attributes");
    many.extend((0..10_000).map(|n| text(&format!("custom.{n}"), &"v".repeat(150))));
    let position = export(&server, "/v1/traces", &traces("app", &[long.clone(), wide.clone()])).await;
    let rows = server.rows("SELECT interaction_id, tokens_in, input FROM interactions ORDER BY 1", position).await;
    assert_eq!((&rows[0]["tokens_in"], &rows[1]["tokens_in"]), (&json!(10), &json!(10)), "{rows}");
    assert!(rows[0]["input"].as_str().is_some_and(|input| body.starts_with(input)), "{rows}");
    let wholes = wholes(&server, position).await;
    assert_eq!(wholes.len(), 2);
    for whole in wholes {
        let sent = if whole["spanId"] == long["spanId"] { &long } else { &wide };
        assert_eq!(whole["attributes"], sent["attributes"]);
    }
}

#[tokio::test]
async fn tasks_agents_and_threads_are_found() {
    let server = Server::start();
    let mut agent = chat(TRACE, "0000000000000001");
    agent["attributes"] = json!([
        text("gen_ai.operation.name", "invoke_agent"),
        text("gen_ai.agent.name", "planner"),
        text("gen_ai.conversation.id", "thread-1"),
        int("gen_ai.usage.input_tokens", 999),
    ]);
    let mut call = chat(TRACE, "0000000000000002");
    call["parentSpanId"] = json!("0000000000000001");
    let mut tool = chat(TRACE, "0000000000000003");
    tool["parentSpanId"] = json!("0000000000000002");
    tool["attributes"] = json!([
        text("gen_ai.operation.name", "execute_tool"),
        text("gen_ai.tool.name", "bash"),
        text("gen_ai.tool.call.arguments", "{\"cmd\":\"make test\"}"),
        text("gen_ai.tool.call.result", "all passed"),
    ]);
    let mut body = traces("app", &[agent, call, tool]);
    let resource = body["resourceSpans"][0]["resource"]["attributes"].as_array_mut().expect("attributes");
    resource.extend([text("task.id", "42"), text("task.type", "bugfix")]);
    export(&server, "/v1/traces", &body).await;
    let judged = json!({
        "timeUnixNano": START.to_string(), "eventName": "gen_ai.evaluation.result", "traceId": TRACE,
        "spanId": "0000000000000002", "attributes": [
            text("gen_ai.evaluation.name", "tone"), text("gen_ai.evaluation.score.label", "good"),
            text("gen_ai.evaluation.explanation", "Friendly throughout."),
        ],
    });
    let position = export(&server, "/v1/logs", &logs("app", &[judged])).await;
    let rows = server.rows("SELECT kind, agent_id, task_id, conversation_id, tokens_in, attributes ->> 'task_type' AS task_type FROM interactions ORDER BY interaction_id", position).await;
    let row = |kind: &str, tokens: Value| json!({"kind": kind, "agent_id": "planner", "task_id": "42", "conversation_id": "thread-1", "tokens_in": tokens, "task_type": "bugfix"});
    assert_eq!(rows, json!([row("agent", Value::Null), row("llm", json!(10)), row("tool", Value::Null)]));
    let tools = server.rows("SELECT tool_name, input, output, failed FROM tool_calls", position).await;
    assert_eq!(
        tools,
        json!([{"tool_name": "bash", "input": "{\"cmd\":\"make test\"}", "output": "all passed", "failed": false}])
    );
    let threads = server.rows("SELECT conversation_id, interactions, tokens_in FROM conversations", position).await;
    assert_eq!(threads, json!([{"conversation_id": "thread-1", "interactions": 3, "tokens_in": 10}]));
    let outcomes = server
        .rows(
            "SELECT o.name, o.label, i.model FROM outcomes AS o JOIN interactions AS i USING (interaction_id)",
            position,
        )
        .await;
    assert_eq!(outcomes, json!([{"name": "tone", "label": "good", "model": "gpt-4o"}]));
    let search = json!({"query": "make test", "mode": "text", "min_position": position, "wait_ms": 20_000});
    let found = server.post("/v1/search", &search).await.expect(200).json;
    assert_eq!(found["hits"][0]["id"], format!("interaction/{TRACE}-0000000000000003"), "{found}");
    let both = json!({"type": "interaction.recorded", "source": "s", "id": "1", "data": {"interaction_id": "i", "kind": "llm", "tokens_in": 1}});
    let written = server.post("/v1/events", &both).await.expect(201).json["position"].as_u64().expect("a position");
    assert_eq!(server.rows(SUMS, written).await, json!([{"calls": 4, "tokens": 11}]));
}

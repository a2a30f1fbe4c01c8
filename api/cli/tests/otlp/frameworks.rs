//! Real frameworks of agents: what their own telemetry tells of agents, tools, models and hand-offs is in the tables.

use serde_json::{Value, json};

use crate::sdks::{self, CALLS, of, rows};
use crate::server::Server;

async fn told(name: &str) -> Server {
    sdks::told_by("PARTITURA_OTLP_FRAMEWORKS_PYTHON", "frameworks.py", name).await
}

/// Checks what a run of Google's kit tells, in either form: one agent hands over to another, which calls a tool.
async fn handed_over(server: &Server, provider: &str, found: &[Value]) {
    assert!(found.iter().all(|row| row["by"] == "google_adk" && row["status"] == "ok"), "{found:#?}");
    let with = |kind: &str| found.iter().filter(|row| row["kind"] == kind).cloned().collect::<Vec<_>>();
    let (models, tools) = (with("llm"), with("tool"));
    for (row, agent) in models.iter().zip(["coordinator", "billing", "billing"]) {
        let columns = ["agent_id", "provider", "model", "i", "o", "r", "t"];
        assert_eq!(of(row, &columns), json!([agent, provider, "gemini-2.5-flash", 50, 7, 32, 2]));
    }
    // The older form tells the instructions first, which fill the preview.
    let asked = rows(server, "SELECT count(*) AS n FROM documents WHERE text LIKE '%Where is my order?%'").await;
    assert!(asked[0]["n"].as_u64() >= Some(3), "each call of a model has the question: {asked:?}");
    assert_eq!(models[2]["output"], "It is blue.");
    let columns = ["agent_id", "tool_name", "input", "output"];
    let expected = [
        json!(["coordinator", "transfer_to_agent", "{\"agent_name\":\"billing\"}", null]),
        json!(["billing", "find_order", "{\"number\":7}", "order 7 is on its way"]),
    ];
    assert_eq!(tools.iter().map(|row| of(row, &columns)).collect::<Vec<_>>(), expected);
    // Calls of models name the invocation, tools and agents do not: all are of one task, which ends with it.
    let sql = "SELECT count(DISTINCT task_id) AS tasks, count(task_id) AS calls, sum(tokens_in) AS i, sum(tokens_out) AS o \
               FROM interactions";
    assert_eq!(rows(server, sql).await, [json!({"tasks": 1, "calls": found.len(), "i": 150, "o": 21})]);
    let tasks = rows(server, "SELECT status, agent_id, handoffs, implied FROM tasks").await;
    assert_eq!(tasks, [json!({"status": "completed", "agent_id": "billing", "handoffs": 1, "implied": false})]);
    let attempts = rows(server, "SELECT agent_id, cause, result FROM attempts ORDER BY number").await;
    let expected = [
        json!({"agent_id": "coordinator", "cause": "first", "result": "partial"}),
        json!({"agent_id": "billing", "cause": "handoff", "result": "succeeded"}),
    ];
    assert_eq!(attempts, expected);
    let sql = "SELECT h.from_agent, h.to_agent, h.number FROM handoffs AS h JOIN tasks AS t ON h.task_id = t.task_id";
    let handoffs = rows(server, sql).await;
    assert_eq!(handoffs, [json!({"from_agent": "coordinator", "to_agent": "billing", "number": 1})]);
    let conversations = rows(server, "SELECT conversation_id, tokens_in FROM conversations").await;
    assert_eq!(conversations, [json!({"conversation_id": "s-1", "tokens_in": 150})]);
}

/// Returns the kinds of all calls and who made them, in order.
fn kinds(found: &[Value]) -> Vec<Value> {
    found.iter().map(|row| of(row, &["kind", "agent_id"])).collect()
}

#[tokio::test]
async fn google_adk_tells_of_agents_tools_and_hand_offs() {
    let server = told("adk").await;
    let found = rows(&server, CALLS).await;
    let expected = [
        json!(["workflow", null]),
        json!(["agent", "coordinator"]),
        json!(["llm", "coordinator"]),
        json!(["tool", "coordinator"]),
        json!(["agent", "billing"]),
        json!(["llm", "billing"]),
        json!(["tool", "billing"]),
        json!(["llm", "billing"]),
    ];
    assert_eq!(kinds(&found), expected, "{found:#?}");
    handed_over(&server, "gcp.gemini", &found).await;
    // Each call is told by a span and by an event; only the event names the user.
    let users = "SELECT user_id, count(*) AS n FROM interactions WHERE kind = 'llm' GROUP BY 1";
    assert_eq!(rows(&server, users).await, [json!({"user_id": "ana", "n": 3})]);
}

#[tokio::test]
async fn the_older_form_of_google_adk_counts_once() {
    let server = told("adk_older").await;
    let found = rows(&server, CALLS).await;
    let expected = [
        json!(["workflow", null]),
        json!(["agent", "coordinator"]),
        json!(["workflow", "coordinator"]),
        json!(["llm", "coordinator"]),
        json!(["tool", "coordinator"]),
        json!(["agent", "billing"]),
        json!(["workflow", "billing"]),
        json!(["llm", "billing"]),
        json!(["tool", "billing"]),
        json!(["workflow", "billing"]),
        json!(["llm", "billing"]),
    ];
    assert_eq!(kinds(&found), expected, "{found:#?}");
    handed_over(&server, "gemini", &found).await;
}

/// Returns the calls of LiteLLM, and checks what both its callbacks tell.
async fn asked(server: &Server) -> Vec<Value> {
    let found = rows(server, CALLS).await;
    assert!(found.iter().all(|row| row["by"] == "litellm"), "{found:#?}");
    assert_eq!(of(&found[0], &["input", "output"]), json!(["Be brief.\nWhy is it blue?", "It is blue."]));
    let cost = rows(server, "SELECT CAST(sum(cost) AS DOUBLE) AS cost FROM interactions").await;
    assert_eq!(cost, [json!({"cost": 0.000_310_08})], "LiteLLM's own prices");
    let columns = ["kind", "provider", "model", "i", "o", "r", "status"];
    found.iter().map(|row| of(row, &columns)).collect()
}

#[tokio::test]
async fn litellm_tells_of_calls_with_their_costs() {
    let server = told("litellm").await;
    let expected = [
        json!(["llm", "openai", "gpt-4o", 50, 7, 32, "ok"]),
        json!(["llm", "openai", "gpt-4o", 50, 7, 32, "ok"]),
        json!(["embedding", "openai", "text-embedding-3-small", 4, 0, null, "ok"]),
        json!(["llm", "openai", "broken", 0, 0, null, "error"]),
    ];
    assert_eq!(asked(&server).await, expected);
    let sql = "SELECT output FROM interactions WHERE conversation_id = 's-1'";
    assert_eq!(rows(&server, sql).await, [json!({"output": "find_order {\"number\": 7}"})]);
}

#[tokio::test]
async fn the_older_callback_of_litellm_names_functions_as_operations() {
    let server = told("litellm_older").await;
    let expected = [
        json!(["llm", "openai", "gpt-4o", 50, 7, null, "ok"]),
        json!(["llm", "openai", "gpt-4o", 50, 7, null, "ok"]),
        json!(["embedding", null, "text-embedding-3-small", 4, 0, null, "ok"]),
        json!(["llm", "openai", "broken", null, null, null, "error"]),
    ];
    assert_eq!(asked(&server).await, expected);
}

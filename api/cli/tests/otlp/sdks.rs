//! Real libraries of tools: what their code tells of a model, an agent or a tool is in the tables.

use std::process::Command;

use serde_json::{Value, json};

use crate::clients::{here, installed, run};
use crate::server::Server;

pub const CALLS: &str = "SELECT kind, attributes ->> 'convention' AS by, agent_id, provider, model, tool_name, tokens_in AS i, \
    tokens_out AS o, tokens_cache_read AS r, tokens_reasoning AS t, status, input, output FROM interactions \
    ORDER BY started_at, time DESC, kind";

async fn told(name: &str) -> Server {
    told_by("PARTITURA_OTLP_SDKS_PYTHON", "sdks.py", name).await
}

/// Runs one part of a program against a server of its own.
pub async fn told_by(python: &str, program: &str, name: &str) -> Server {
    let server = Server::start();
    run(Command::new(installed(python)).arg("-B").arg(here(program)).arg(name).arg(&server.url));
    server
}

/// Returns all rows of a statement, once everything that is in the log is in the tables.
pub async fn rows(server: &Server, sql: &str) -> Vec<Value> {
    let head = server.rows("SELECT max(position) AS head FROM events", 1).await;
    let rows = server.rows(sql, head[0]["head"].as_u64().expect("something was told")).await;
    rows.as_array().expect("rows").clone()
}

/// Returns the columns of a row that are named.
pub fn of(row: &Value, columns: &[&str]) -> Value {
    columns.iter().map(|column| row[*column].clone()).collect::<Vec<_>>().into()
}

/// Checks the three calls that are the same for all libraries around OpenAI's.
fn asked(rows: &[Value], by: &str) {
    let calls: Vec<_> = rows.iter().filter(|row| row["kind"] != "workflow").collect();
    assert_eq!(calls.len(), 3, "{rows:#?}");
    let columns = ["kind", "by", "i", "o", "r", "status"];
    assert_eq!(of(calls[0], &columns), json!(["llm", by, 50, 7, 32, "ok"]));
    assert_eq!(of(calls[1], &columns[..3]), json!(["embedding", by, 4]));
    assert_eq!(of(calls[2], &["kind", "by", "status"]), json!(["llm", by, "error"]));
    let said = |column: &str| calls[0][column].as_str().unwrap_or_default().to_owned();
    assert!(said("input").contains("Why is it blue?") && said("output").contains("It is blue."), "{rows:#?}");
    assert!(said("model").starts_with("gpt-4o"), "{rows:#?}");
}

#[tokio::test]
async fn openinference_tells_of_openai() {
    asked(&rows(&told("openinference").await, CALLS).await, "openinference");
}

#[tokio::test]
async fn traceloop_tells_of_openai() {
    let rows = rows(&told("traceloop").await, CALLS).await;
    asked(&rows, "gen_ai");
    assert_eq!(rows[0]["provider"], "openai");
}

#[tokio::test]
async fn of_two_libraries_around_one_call_the_inner_one_counts() {
    let server = told("both").await;
    let sums =
        "SELECT kind, count(*) AS n, sum(tokens_in) AS i, sum(tokens_out) AS o FROM interactions GROUP BY 1 ORDER BY 1";
    let found = rows(&server, sums).await;
    let expected = json!([
        {"kind": "embedding", "n": 1, "i": 4, "o": null}, {"kind": "llm", "n": 3, "i": 50, "o": 7},
        {"kind": "workflow", "n": 2, "i": null, "o": null},
    ]);
    // The failed call used nothing, so neither of its spans is the sum of the other.
    assert_eq!(json!(found), expected, "{:#?}", rows(&server, CALLS).await);
}

#[tokio::test]
async fn agents_hand_off() {
    let server = told("agents").await;
    let calls = rows(&server, CALLS).await;
    let models: Vec<_> = calls.iter().filter(|row| row["kind"] == "llm").collect();
    let columns = ["by", "agent_id", "provider", "model", "i", "o", "r", "t"];
    let call = |agent: &str| json!(["openinference", agent, "openai", "gpt-4.1", 30, 5, 8, 2]);
    assert_eq!(models.iter().map(|row| of(row, &columns)).collect::<Vec<_>>(), [call("Triage"), call("Billing")]);
    let handoffs = rows(&server, "SELECT task_id, from_agent, to_agent, number FROM handoffs").await;
    assert_eq!(handoffs, [json!({"task_id": "ticket-9", "from_agent": "Triage", "to_agent": "Billing", "number": 1})]);
    let tasks = rows(&server, "SELECT task_id, type, status, agent_id, handoffs FROM tasks").await;
    assert_eq!(
        tasks,
        [
            json!({"task_id": "ticket-9", "type": "refund", "status": "in_progress", "agent_id": "Billing", "handoffs": 1})
        ]
    );
}

#[tokio::test]
async fn pydantic_ai_tells_of_agent_and_tool() {
    let server = told("pydantic_ai").await;
    let found = rows(&server, CALLS).await;
    let columns = ["kind", "by", "agent_id", "tool_name", "status"];
    let made: Vec<_> = found.iter().map(|row| of(row, &columns)).collect();
    let row = |kind: &str, tool: Value| json!([kind, "pydantic_ai", "support", tool, "ok"]);
    let expected =
        [row("agent", Value::Null), row("llm", Value::Null), row("tool", json!("find_order")), row("llm", Value::Null)];
    assert_eq!(made, expected, "{found:#?}");
    let sums = "SELECT sum(tokens_in) AS i, CAST(max(attributes -> 'usage_rollup' ->> 'tokens_in') AS BIGINT) AS told FROM interactions";
    let sums = rows(&server, sums).await;
    assert!(sums[0]["i"].as_i64() > Some(0) && sums[0]["i"] == sums[0]["told"], "{sums:?}");
    assert_eq!(found[2]["output"], "order 0 is on its way");
}

#[tokio::test]
async fn langsmith_tells_of_a_graph() {
    let server = told("langsmith").await;
    let found = rows(&server, CALLS).await;
    let made: Vec<_> = found.iter().map(|row| of(row, &["kind", "by", "provider", "model", "i", "o", "r"])).collect();
    assert!(made.contains(&json!(["llm", "langsmith", "openai", "gpt-4o-mini", 80, 15, 32])), "{found:#?}");
    let sum = rows(&server, "SELECT sum(tokens_in) AS i, min(conversation_id) AS thread FROM interactions").await;
    assert_eq!(sum, [json!({"i": 80, "thread": "thread-7"})]);
    let handoffs = rows(&server, "SELECT to_agent FROM handoffs").await;
    assert_eq!(handoffs, [json!({"to_agent": "flights"})]);
}

#[tokio::test]
async fn mlflow_tells_of_agent_and_model() {
    let server = told("mlflow").await;
    let found = rows(&server, CALLS).await;
    let made: Vec<_> =
        found.iter().map(|row| of(row, &["kind", "by", "agent_id", "model", "i", "o", "output"])).collect();
    assert_eq!(
        made,
        [
            json!(["agent", "mlflow", "predict", null, null, null, "A report."]),
            json!(["llm", "mlflow", "predict", "gpt-4o-mini", 60, 9, "A report."]),
        ]
    );
}

#[tokio::test]
async fn the_sdk_exports_metrics() {
    let server = told("metrics").await;
    let sql = "SELECT name, kind, unit, temporality, monotonic, value, count, sum, min, max, source, scope, task_id, model, \
               conversation_id, buckets -> 'counts' AS counts FROM metrics ORDER BY name";
    let found = rows(&server, sql).await;
    let made =
        |name: &str| found.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {found:#?}"));
    assert_eq!(found.len(), 5, "{found:#?}");
    let columns = ["kind", "unit", "temporality", "monotonic", "value", "source", "scope", "task_id"];
    assert_eq!(
        of(made("tokens"), &columns),
        json!(["sum", "{token}", "cumulative", true, 30.0, "sdk", "sdk-meter", "42"])
    );
    assert_eq!(of(made("tokens"), &["model", "conversation_id"]), json!(["gpt-4o", "s-1"]));
    assert_eq!(of(made("open"), &["kind", "monotonic", "value"]), json!(["sum", false, -2.0]));
    assert_eq!(of(made("temperature"), &["kind", "temporality", "value"]), json!(["gauge", null, 21.5]));
    let columns = ["kind", "count", "sum", "min", "max"];
    assert_eq!(of(made("duration"), &columns), json!(["histogram", 3, 5.0, 0.25, 4.0]));
    assert_eq!(made("duration")["counts"], "[1,1,1]");
    assert_eq!(of(made("latency"), &columns), json!(["exponential_histogram", 3, 7.0, 1.0, 4.0]));
}

//! `query_sql`: one read-only statement, within limits of rows, bytes and tokens.

use futures::{FutureExt, StreamExt};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Format, Scope, SqlAnswer, SqlCall, encode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::{max_tokens, read, read_at};
use crate::budget::fit;
use crate::fence::fenced;
use crate::markdown::table;
use crate::reply::{Answer, Reply, object};
use crate::schema;
use crate::tool::{Call, Effect, Tool};

/// Rows when the caller names no limit.
const ROWS: usize = 100;
/// Rows are read up to this many times the bytes that are answered: long texts among them are cut.
const READ_FACTOR: u64 = 16;

pub fn tools() -> Vec<Tool> {
    vec![Tool {
        name: "query_sql",
        title: "Ask in SQL",
        about: "Ask one read-only SQL statement over the tables and views of the team: events, tasks, attempts, \
                interactions, outcomes, knowledge, costs and more. list_tables names them, describe_table explains the \
                columns. Put values into params instead of the text: WHERE agent_id = $agent.",
        scope: Scope::Read,
        effect: Effect::Reads,
        takes: || schema::object(fields(), &["sql"]),
        gives: || {
            let all = [
                ("schema", schema::objects("Columns in order: name, type, nullable")),
                ("data", schema::objects("Rows, by column. They are stored data")),
                ("row_count", schema::integer("Rows in `data`", 0)),
                ("truncated", schema::flag("Whether rows or texts were cut at a limit")),
                ("position", schema::position("Position at which it was answered")),
                ("stats", json!({"type": "object", "description": "What the query read and how long it took"})),
            ];
            schema::object(schema::properties(all), &["schema", "data", "row_count", "truncated", "position"])
        },
        run: |call| query(call).boxed(),
    }]
}

/// The arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    sql: String,
    #[serde(default)]
    params: Value,
    limit: Option<usize>,
    timeout_ms: Option<u64>,
    time_zone: Option<String>,
    min_position: Option<u64>,
    wait_ms: Option<u64>,
    as_of: Option<Value>,
    max_tokens: Option<u64>,
}

fn fields() -> schema::Properties {
    let mut fields = schema::read_at();
    fields.extend(schema::properties([
        ("sql", schema::text("One SELECT")),
        ("params", json!({"type": "object", "description": "Values of $name in the statement"})),
        ("limit", schema::integer("Most rows; 100 when it is left out", 1)),
        ("timeout_ms", schema::integer("Longest time, in milliseconds", 1)),
        ("time_zone", schema::text("IANA zone of date functions, instead of the workspace's")),
        ("max_tokens", schema::max_tokens()),
    ]));
    fields
}

async fn query(call: Call) -> Result<Answer, Problem> {
    let asked: Question = read(&call.arguments)?;
    let budget = max_tokens(asked.max_tokens)?;
    let settings = call.service.settings();
    let (rows_max, bytes_max) = (settings.mcp_rows_max, settings.mcp_bytes_max);
    let question = SqlCall {
        sql: asked.sql,
        params: asked.params,
        limit: Some(limit(asked.limit, rows_max)?),
        bytes: Some(bytes_max.saturating_mul(READ_FACTOR)),
        timeout_ms: asked.timeout_ms,
        time_zone: asked.time_zone,
        at: read_at(asked.min_position, asked.wait_ms, asked.as_of.as_ref())?,
        ..SqlCall::default()
    };
    let answer = call.service.sql(&call.principal, question).await?;
    let position = answer.stream.position();
    let mut typed = typed(answer).await?;
    let rows = typed["data"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let (rows, cut) = fit(rows, bytes_max);
    let truncated = cut || typed["truncated"] == true;
    let columns: Vec<String> = typed["schema"].as_array().into_iter().flatten().map(name).collect();
    let (text, shown) = table(&columns, &rows, budget);
    let more = if truncated { "; there is more than is answered: ask for less or narrower" } else { "" };
    let text = format!("{shown} of {} rows{more}.\n{}", rows.len(), fenced(&text));
    typed["row_count"] = json!(rows.len());
    typed["data"] = json!(rows);
    typed["truncated"] = json!(truncated);
    typed["position"] = json!(position);
    Ok(Ok(Reply { structured: object(&typed), text }))
}

fn name(column: &Value) -> String {
    column["name"].as_str().unwrap_or_default().to_owned()
}

fn limit(given: Option<usize>, max: usize) -> Result<usize, Problem> {
    match given {
        None => Ok(ROWS.min(max)),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(limit) => {
            let detail = format!("`limit` = {limit} is not between 1 and {max}");
            Err(Problem::invalid_field("limit", "out_of_range", detail)
                .hint("aggregate in SQL, or page with ORDER BY and OFFSET; the setting `mcp_rows_max` is the limit"))
        }
    }
}

/// Reads the whole answer, which the limit of bytes bounds.
async fn typed(answer: SqlAnswer) -> Result<Value, Problem> {
    let SqlAnswer { stream, hold, .. } = answer;
    let mut bytes = Vec::new();
    let mut chunks = Box::pin(encode(stream, Format::Typed));
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    drop(hold);
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("rows cannot be read back: {error}")))
}

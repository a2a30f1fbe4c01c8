//! `get_context`: the passages worth putting in a prompt.

use futures::FutureExt;
use partitura_event::Problem;
use partitura_service::Scope;
use serde_json::{Value, json};

use crate::arguments::read;
use crate::budget::fit_list;
use crate::fence::fenced;
use crate::reply::{Answer, Reply, object};
use crate::schema;
use crate::tool::{Call, Effect, Tool};

pub fn tools() -> Vec<Tool> {
    vec![Tool {
        name: "get_context",
        title: "Get what is worth knowing for a task",
        about: "Get the passages of the team's memory that are worth reading before you work on something, with their \
                sources, within a budget of tokens. Call it first, with what you are about to do as the query.",
        scope: Scope::Read,
        effect: Effect::Reads,
        takes: || schema::object(fields(), &["query"]),
        gives: || {
            let all = [
                (
                    "passages",
                    schema::objects("Best first: source, kind, title, text, tokens, score. Texts are stored data"),
                ),
                ("tokens", schema::integer("Tokens of all passages", 0)),
                ("tokenizer", schema::text("How tokens were counted")),
                ("position", schema::position("Position at which it was answered")),
                ("warnings", schema::texts("What the answer lacks, and why")),
                ("truncated", schema::flag("Whether passages were cut at the limit of bytes")),
            ];
            schema::object(schema::properties(all), &["passages", "tokens", "position"])
        },
        run: |call| context(call).boxed(),
    }]
}

fn fields() -> schema::Properties {
    let mut fields = schema::read_at();
    fields.extend(schema::properties([
        ("query", schema::text("What the prompt is about")),
        ("agent_id", schema::text("Only what is by or about this agent")),
        ("conversation_id", schema::text("Only this thread")),
        ("max_tokens", schema::integer("Most tokens of all passages together; 2000 when it is left out", 1)),
    ]));
    fields
}

async fn context(call: Call) -> Result<Answer, Problem> {
    let body: Value = read(&call.arguments)?;
    let found = call.service.context(&call.principal, body).await?;
    let mut structured = object(&found);
    fit_list(&mut structured, "passages", call.service.settings().mcp_bytes_max);
    // What was cut from the structured content is cut from the text too: both have the same passages.
    let kept = structured.get("passages").and_then(Value::as_array).cloned().unwrap_or_default();
    let part = |passage: &Value| {
        let member = |name: &str| passage[name].as_str().unwrap_or_default().replace('\n', " ");
        let title = if passage["title"] == json!(null) { String::new() } else { format!(" · {}", member("title")) };
        format!("### {}{title}\n{}\n\n", member("source"), passage["text"].as_str().unwrap_or_default())
    };
    let text: String = kept.iter().map(part).collect();
    let text = match kept.len() {
        0 => "Nothing is known about it.".to_owned(),
        n => format!("{n} passages, best first, {} tokens.\n{}", found.tokens, fenced(&text)),
    };
    Ok(Ok(Reply { structured, text }))
}

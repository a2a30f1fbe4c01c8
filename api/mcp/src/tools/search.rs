//! `search_memories`: everything that was remembered, by words and meaning.

use futures::FutureExt;
use partitura_event::Problem;
use partitura_service::Scope;
use serde_json::{Value, json};

use crate::arguments::{read, take_max_tokens};
use crate::budget::fit_list;
use crate::fence::fenced;
use crate::markdown::passages;
use crate::reply::{Answer, Reply, object};
use crate::schema;
use crate::tool::{Call, Effect, Tool};

pub fn tools() -> Vec<Tool> {
    vec![Tool {
        name: "search_memories",
        title: "Search what the team remembers",
        about: "Search knowledge, interactions, messages, tasks and judgements by words and meaning, best first. Narrow \
                it with `filter`, a SQL condition: kind = 'knowledge' AND agent_id = 'claude'. Knowledge that was \
                retracted or superseded is found with include_ended only.",
        scope: Scope::Read,
        effect: Effect::Reads,
        takes: || schema::object(fields(), &["query"]),
        gives: || {
            let all = [
                ("hits", schema::objects("Best first: id, kind, title, text, score, fields. Texts are stored data")),
                ("position", schema::position("Position at which it was answered")),
                ("took_ms", schema::integer("Time it took, in milliseconds", 0)),
                ("facets", json!({"type": "object", "description": "How often each value occurs, by column"})),
                ("next_cursor", json!({"type": ["string", "null"], "description": "Where the next page begins"})),
                ("warnings", schema::texts("What the answer lacks, and why")),
                ("truncated", schema::flag("Whether hits or texts were cut at the limit of bytes")),
            ];
            schema::object(schema::properties(all), &["hits", "position"])
        },
        run: |call| search(call).boxed(),
    }]
}

fn fields() -> schema::Properties {
    let mut fields = schema::read_at();
    let about_filter =
        "A SQL condition over kind, agent_id, task_id, attempt_id, conversation_id, project_id, model, tags, time";
    let object = |about: &str| json!({"type": "object", "description": about});
    fields.extend(schema::properties([
        ("query", schema::text("What to look for")),
        ("mode", schema::word("By words, by meaning, or both", &["hybrid", "text", "semantic", "auto"])),
        ("limit", schema::integer("Most hits; 10 when it is left out", 1)),
        ("filter", schema::text(about_filter)),
        ("include_ended", schema::flag("Find superseded and retracted knowledge too")),
        ("recency", object("How age counts: {\"half_life\": \"30d\"}")),
        ("fusion", object("How words and meaning are put together: {\"method\": \"weighted\", \"alpha\": 0.6}")),
        ("facets", schema::texts("Columns whose values are counted")),
        ("highlight", schema::flag("Mark the words in each hit")),
        ("explain", schema::flag("Say the ranks and scores of each hit")),
        ("exact", schema::flag("Compare with all vectors instead of an approximate index")),
        ("cursor", schema::text("next_cursor of the page before")),
        ("max_tokens", schema::max_tokens()),
    ]));
    fields
}

async fn search(call: Call) -> Result<Answer, Problem> {
    let mut body: Value = read(&call.arguments)?;
    let budget = take_max_tokens(&mut body)?;
    let found = call.service.search(&call.principal, body).await?;
    let mut structured = object(&found);
    fit_list(&mut structured, "hits", call.service.settings().mcp_bytes_max);
    let parts = found.hits.iter().map(|hit| {
        let title = hit.title.as_deref().map(|title| format!(" · {title:.200}")).unwrap_or_default();
        (format!("{} · score {:.2}{title}", hit.id, hit.score), hit.text.clone())
    });
    let (text, shown) = passages(parts, budget);
    let total = found.hits.len();
    let text = match total {
        0 => "Nothing was found.".to_owned(),
        _ => format!("{shown} of {total} hits, best first.\n{}", fenced(&text)),
    };
    Ok(Ok(Reply { structured, text }))
}

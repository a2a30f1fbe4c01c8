//! `list_tables`, `describe_table`: what can be asked in SQL.

use futures::FutureExt;
use partitura_event::Problem;
use partitura_service::{Scope, TableDescription};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::read;
use crate::reply::{Answer, Reply, object};
use crate::schema;
use crate::tool::{Call, Effect, Tool};

pub fn tools() -> Vec<Tool> {
    vec![
        Tool {
            name: "list_tables",
            title: "List tables and views",
            about: "List every table and view that query_sql can read, with what one row is.",
            scope: Scope::Read,
            effect: Effect::Reads,
            takes: || schema::object(schema::Properties::new(), &[]),
            gives: || {
                let all = [("data", schema::objects("name, kind, grain (what one row is), key"))];
                schema::object(schema::properties(all), &["data"])
            },
            run: |call| list(call).boxed(),
        },
        Tool {
            name: "describe_table",
            title: "Describe a table",
            about: "Describe one table or view: what one row is, its key, joins that do not multiply rows, and the type \
                    and meaning of each column.",
            scope: Scope::Read,
            effect: Effect::Reads,
            takes: || {
                let all = [("name", schema::text("The table or view, as list_tables names it"))];
                schema::object(schema::properties(all), &["name"])
            },
            gives: || {
                let all = [
                    ("name", schema::text("Its name in SQL")),
                    ("kind", schema::text("table, view or system")),
                    ("grain", schema::text("What one row is")),
                    ("key", schema::texts("Columns that name one row")),
                    ("joins", schema::texts("Joins that do not multiply rows")),
                    ("columns", schema::objects("name, type, nullable, doc")),
                ];
                schema::object(schema::properties(all), &["name", "kind", "grain", "key", "joins", "columns"])
            },
            run: |call| describe(call).boxed(),
        },
    ]
}

/// The arguments of `list_tables`: none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn list(call: Call) -> Result<Answer, Problem> {
    let Nothing {} = read(&call.arguments)?;
    let tables = call.service.tables().await?;
    let data: Vec<Value> = tables.iter().map(short).collect();
    let text = tables.iter().map(|table| format!("- `{}` ({}): {}\n", table.name, table.kind, table.grain)).collect();
    Ok(Ok(Reply { structured: object(&json!({"data": data})), text }))
}

/// Returns what a list says of a table.
pub fn short(table: &TableDescription) -> Value {
    json!({"name": table.name, "kind": table.kind, "grain": table.grain, "key": table.key})
}

/// The arguments of `describe_table`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Describe {
    name: String,
}

async fn describe(call: Call) -> Result<Answer, Problem> {
    let asked: Describe = read(&call.arguments)?;
    let table = call.service.table(&asked.name).await?;
    Ok(Ok(Reply { structured: object(&table), text: shown(&table) }))
}

/// Writes a description for a reader.
pub fn shown(table: &TableDescription) -> String {
    let mut text = format!("# {} ({})\n{}\nKey: {}\n", table.name, table.kind, table.grain, table.key.join(", "));
    for join in &table.joins {
        text += &format!("Safe join: {join}\n");
    }
    for column in &table.columns {
        let null = if column.nullable { ", may be null" } else { "" };
        text += &format!("- `{}` {}{null}: {}\n", column.name, column.ty, column.doc);
    }
    text
}

//! Views: SQL text over base tables, one file each, with its grain, keys and columns in its head.
//!
//! Facts, verdicts and costs are views, so that a changed price or verdict policy changes the past at
//! once. The head of each file is what `GET /v1/tables/{name}` shows:
//!
//! ```text
//! -- grain: One row per task.
//! -- key: task_id
//! -- join: agent_id → agents.agent_id
//! -- column verdict: `accepted`, `partial`, `rejected` or `pending`.
//! ```
//!
//! Columns that a view takes over unchanged keep the text of the table that `-- inherits: tasks` names. A view
//! that only adds the rows of another table to those of its own names it (`-- without: otlp_interactions`): while
//! that one has no rows, the view is the table itself, and costs nothing.

use std::collections::BTreeMap;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use crate::{guard, kpi};

/// One view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub name: String,
    pub grain: String,
    pub key: Vec<String>,
    pub joins: Vec<String>,
    /// Meaning by column, of those that the base table of the same name does not describe.
    pub columns: BTreeMap<String, String>,
    /// Tables and views whose columns keep their meaning here.
    pub inherits: Vec<String>,
    /// Table without whose rows the view is no other than the stored table of its name.
    pub without: Option<String>,
    /// The text, head included.
    pub sql: String,
    /// How many stored tables it scans.
    pub weight: u64,
    /// Whether it applies the workspace's prices or verdict policies.
    pub needs_rules: bool,
}

macro_rules! views {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each view; one names only those before it.
        const TEXTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("view/", $name, ".sql")))),*];
    };
}

views!(
    "judgements",
    "interactions",
    "tasks",
    "attempts",
    "tool_calls",
    "conversations",
    "prices",
    "costs",
    "handoffs",
    "attempt_facts",
    "task_facts",
    "cost_per_accepted",
    "velocity",
    "burndown",
    "project_health",
    "slas",
    "kpis",
    "system.orphans",
);

/// Returns all views.
pub(crate) fn all() -> Vec<View> {
    let mut views: Vec<View> = Vec::with_capacity(TEXTS.len());
    for (name, text) in TEXTS {
        let mut view = read(name, text);
        let weight_of = |name: &str| views.iter().find(|view| view.name == name).map_or(1, |view| view.weight);
        view.weight = match Parser::parse_sql(&PostgreSqlDialect {}, text) {
            Ok(statements) => statements.iter().map(|statement| guard::scans(statement, &weight_of)).sum(),
            Err(_) => 1,
        };
        view.needs_rules |= views.iter().any(|known| known.needs_rules && mentions(text, &known.name));
        views.push(view);
    }
    views
}

/// Returns whether `sql` may name a table `name`: whether the word occurs in it.
pub(crate) fn mentions(sql: &str, name: &str) -> bool {
    sql.to_lowercase().split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

fn read(name: &str, text: &str) -> View {
    let mut view = View {
        name: name.to_owned(),
        grain: String::new(),
        key: Vec::new(),
        joins: Vec::new(),
        columns: BTreeMap::new(),
        inherits: Vec::new(),
        without: None,
        sql: text.to_owned(),
        weight: 1,
        // A key figure may ask for anything.
        needs_rules: ["_cost(", "_verdict(", kpi::NAME].iter().any(|part| text.contains(part)),
    };
    for line in text.lines().map_while(|line| line.strip_prefix("-- ")) {
        let Some((tag, value)) = line.split_once(": ") else { continue };
        match (tag, tag.strip_prefix("column ")) {
            ("grain", _) => view.grain = value.to_owned(),
            ("key", _) => view.key = value.split(", ").map(str::to_owned).collect(),
            ("inherits", _) => view.inherits = value.split(", ").map(str::to_owned).collect(),
            ("without", _) => view.without = Some(value.to_owned()),
            ("join", _) => view.joins.push(value.to_owned()),
            (_, Some(column)) => {
                view.columns.insert(column.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }
    view
}

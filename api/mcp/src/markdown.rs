//! Rows as Markdown within a budget of tokens.

use serde_json::{Map, Value};

use crate::budget::{cut, tokens};

/// Most tokens of one cell of a table.
const CELL_TOKENS: usize = 120;

/// Writes rows as a table with `columns`, as many as the budget allows. Returns it and how many.
pub fn table(columns: &[String], rows: &[Value], budget: usize) -> (String, usize) {
    let escaped: Vec<_> = columns.iter().map(|name| one_line(name)).collect();
    let mut text = format!("| {} |\n|{}\n", escaped.join(" | "), " --- |".repeat(columns.len()));
    let mut left = budget.saturating_sub(tokens(&text));
    for (n, row) in rows.iter().enumerate() {
        let cells: Vec<_> = columns.iter().map(|name| cell(row.get(name))).collect();
        let line = format!("| {} |\n", cells.join(" | "));
        let cost = tokens(&line);
        if cost > left {
            return (text, n);
        }
        left -= cost;
        text += &line;
    }
    (text, rows.len())
}

/// Writes texts one under the other, each with a heading, as many as the budget allows; the last one may be cut.
/// Returns them and how many.
pub fn passages(parts: impl IntoIterator<Item = (String, String)>, budget: usize) -> (String, usize) {
    let most = (budget / 3).max(64);
    let (mut text, mut left, mut shown) = (String::new(), budget, 0);
    for (heading, body) in parts {
        let heading = format!("### {}\n", one_line(&heading));
        let room = left.saturating_sub(tokens(&heading)).min(most);
        if room == 0 {
            break;
        }
        let part = format!("{heading}{}\n\n", cut(&body, room));
        left = left.saturating_sub(tokens(&part));
        text += &part;
        shown += 1;
    }
    (text, shown)
}

/// Writes the members of one row as a list; those that are null are left out.
pub fn members(row: &Map<String, Value>) -> String {
    let lines = row.iter().filter(|(_, value)| !value.is_null());
    lines.map(|(name, value)| format!("- {name}: {}\n", plain(value))).collect()
}

fn cell(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| one_line(&cut(&plain(value), CELL_TOKENS)))
}

fn one_line(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

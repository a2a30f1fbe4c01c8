//! `docs/reference/tables.md`, written from the specs.

use std::fmt::Write;

use crate::schema::{BASE_TABLES, Shape, TableSpec};

/// Returns the reference of all base tables in Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Tables\n\n\
         Generated from `store/table/src/schema`; do not edit. Every table also has `_pos`, the position of the event \
         that made the row. A keyed table `t` shows the current rows; the closed versions are in `t_history`, with \
         `_pos_to`, the first position at which a version was no longer the current one. Views and facts are described \
         by `GET /v1/tables/{name}`.\n",
    );
    for spec in BASE_TABLES {
        table(spec, &mut text);
    }
    text
}

fn table(spec: &TableSpec, text: &mut String) {
    let shape = match spec.shape {
        Shape::Append => "append-only",
        Shape::Keyed => "keyed",
    };
    let name = spec.name;
    let _ = write!(text, "\n## `{name}`\n\n{} {}\n\n* Shape: {shape}\n", spec.grain, spec.about);
    if !spec.key.is_empty() {
        let _ = writeln!(text, "* Key: {}", names(spec.key));
    }
    for join in spec.joins {
        let _ = writeln!(text, "* Safe join: {} = `{}` ({})", names(join.columns), join.table, names(join.to));
    }
    text.push_str("\n| column | type | null | meaning |\n|---|---|---|---|\n");
    for column in spec.columns.iter().filter(|column| !column.hidden()) {
        let null = if column.nullable { "yes" } else { "" };
        let meaning = column.doc.replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {} | {null} | {meaning} |", column.name, column.ty.name());
    }
}

fn names(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

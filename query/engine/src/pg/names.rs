//! Columns without a name of their own get the one that Postgres gives: drivers hand rows out by it.

use std::collections::BTreeSet;

use sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr, Value, ValueWithSpan};

/// Names the columns of the outermost `SELECT`; equal ones are numbered, because a plan needs them apart.
pub(super) fn name_columns(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    // What is distinct is ordered by what it is, not by its name; what a star stands for is not known yet.
    if select.distinct.is_some() || !select.projection.iter().all(is_single) {
        return;
    }
    let mut used: BTreeSet<String> = select.projection.iter().filter_map(given).collect();
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            continue;
        }
        let name = name_of(expr);
        let free = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}_{n}") });
        let Some(free) = free.into_iter().find(|name| !used.contains(name)) else { continue };
        used.insert(free.clone());
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', free) };
    }
}

/// Returns the names of the columns of a `SELECT` that has no star.
pub(super) fn names(projection: &[SelectItem]) -> Option<Vec<String>> {
    projection
        .iter()
        .map(|item| match item {
            SelectItem::UnnamedExpr(expr) => Some(name_of(expr)),
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            _ => None,
        })
        .collect()
}

const fn is_single(item: &SelectItem) -> bool {
    matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. })
}

fn given(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|name| name.value.clone()),
        _ => None,
    }
}

fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map_or_else(String::new, |name| name.value.clone()),
        Expr::Function(function) => {
            let last = function.name.0.last().and_then(|part| part.as_ident());
            last.map_or_else(|| "?column?".to_owned(), |name| name.value.to_lowercase())
        }
        Expr::Cast { expr, data_type, .. } => match name_of(expr) {
            nameless if nameless == "?column?" => data_type.to_string().to_lowercase(),
            name => name,
        },
        Expr::Nested(inner) => name_of(inner),
        Expr::CompoundFieldAccess { root, .. } => name_of(root),
        Expr::Case { .. } => "case".to_owned(),
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        Expr::Value(ValueWithSpan { value: Value::Boolean(_), .. }) => "bool".to_owned(),
        _ => "?column?".to_owned(),
    }
}

//! Questions to tables of `pg_catalog` that never have a row here: answered without planning them.
//!
//! Clients ask them all the same, with arrays and operators that DataFusion does not plan.

use sqlparser::ast::{
    Expr, GroupByExpr, JoinOperator, Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::names::names;

/// Tables without a row, and functions that list nothing: there are no constraints, indexes, policies, triggers,
/// publications, sequences or partitions, and no role is a member of another.
pub(super) const EMPTY: &[&str] = &[
    "pg_constraint",
    "pg_index",
    "pg_policy",
    "pg_statistic_ext",
    "pg_publication",
    "pg_publication_rel",
    "pg_trigger",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_foreign_table",
    "pg_event_trigger",
    "pg_subscription",
    "pg_rewrite",
    "pg_attrdef",
    "pg_sequence",
    "pg_collation",
    "pg_auth_members",
    "pg_locks",
    "pg_available_extensions",
    "pg_prepared_xacts",
];

const AGGREGATES: &[&str] = &["count", "sum", "min", "max", "avg", "bool_or", "bool_and", "array_agg", "string_agg"];

/// Returns a question with the same columns and no row, where `query` can have none.
pub(super) fn without_rows(query: &Query) -> Option<Statement> {
    if query.with.is_some() || !is_empty(&query.body) {
        return None;
    }
    let columns = names(&leftmost(&query.body)?.projection)?;
    let quoted = |(at, name): (usize, &String)| format!("NULL::text AS \"{}_{at}\"", name.replace('"', ""));
    let columns: Vec<_> = columns.iter().enumerate().map(quoted).collect();
    let sql = format!("SELECT {} WHERE false", columns.join(", "));
    Parser::parse_sql(&PostgreSqlDialect {}, &sql).ok()?.pop()
}

fn leftmost(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        SetExpr::Query(query) => leftmost(&query.body),
        _ => None,
    }
}

/// Returns whether a question has no row, whatever it asks.
pub(super) fn is_empty(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => {
            !makes_a_row(select)
                && (select.from.iter().any(reads_nothing) || select.projection.iter().any(lists_nothing))
        }
        SetExpr::SetOperation { left, right, .. } => is_empty(left) && is_empty(right),
        SetExpr::Query(query) => query.with.is_none() && is_empty(&query.body),
        _ => false,
    }
}

/// Returns whether a question is one `count(…)` of no rows, which is 0.
pub(super) fn counts_nothing(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let [item] = select.projection.as_slice() else { return false };
    query.with.is_none()
        && makes_a_row(select)
        && select.having.is_none()
        && is_call(item, "count")
        && select.from.iter().any(reads_nothing)
}

/// Nothing is granted to anybody, so a list of grants has no row. Nor has one of functions with the names of their types,
/// which are lists that are not planned.
fn lists_nothing(item: &SelectItem) -> bool {
    is_call(item, "aclexplode") || item.to_string().to_lowercase().contains("::regtype[]")
}

fn is_call(item: &SelectItem, wanted: &str) -> bool {
    let (SelectItem::UnnamedExpr(Expr::Function(function))
    | SelectItem::ExprWithAlias { expr: Expr::Function(function), .. }) = item
    else {
        return false;
    };
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|name| name.value.eq_ignore_ascii_case(wanted))
}

/// An aggregate over no rows is a row.
pub(super) fn makes_a_row(select: &Select) -> bool {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(list, _) if list.is_empty());
    let aggregate = |item: &SelectItem| {
        let text = item.to_string().to_lowercase();
        AGGREGATES.iter().any(|name| text.contains(&format!("{name}(")))
    };
    !grouped && select.projection.iter().any(aggregate)
}

fn reads_nothing(table: &TableWithJoins) -> bool {
    let keeps = |operator: &JoinOperator| {
        let text = format!("{operator:?}");
        !text.starts_with("Right") && !text.starts_with("Full")
    };
    let inner = |operator: &JoinOperator| matches!(operator, JoinOperator::Join(_) | JoinOperator::Inner(_));
    let empty_inner = table.joins.iter().any(|join| inner(&join.join_operator) && is_nothing(&join.relation));
    table.joins.iter().all(|join| keeps(&join.join_operator)) && (is_nothing(&table.relation) || empty_inner)
}

fn is_nothing(relation: &TableFactor) -> bool {
    match relation {
        TableFactor::Table { name, .. } => {
            let last = name.0.last().and_then(|part| part.as_ident());
            last.is_some_and(|name| EMPTY.contains(&name.value.to_lowercase().as_str()))
        }
        TableFactor::Derived { subquery, .. } => subquery.with.is_none() && is_empty(&subquery.body),
        TableFactor::NestedJoin { table_with_joins, .. } => reads_nothing(table_with_joins),
        _ => false,
    }
}

/// Returns the pattern of a `LIKE` with another escape than the backslash, written with the backslash.
pub(super) fn with_backslash(pattern: &Expr, escape: &str) -> Option<Expr> {
    let quoted = escape.replace('\'', "''");
    let sql = format!(r"replace(replace({pattern}, '\', '\\'), '{quoted}', '\')");
    Parser::new(&PostgreSqlDialect {}).try_with_sql(&sql).ok()?.parse_expr().ok()
}
